import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startDovecot, withoutDovecot } from '../../test/support/dovecot.ts'
import { plainAccount } from '../../test/support/mirror.ts'
import { aMail, testOutbox } from '../../test/support/outbox.ts'
import { startSmtpServer } from '../../test/support/smtp-server.ts'
import type { ImapAccount } from '../house/index.ts'
import { createEntrance } from '../imap/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { createSentFolder } from './connectors/sent-folder.ts'
import { createSmtpConnector } from './connectors/smtp.ts'
import { tellHistory } from './draft-history.ts'
import { historyOf } from './draft-queries.ts'
import { copyRetryAfterMs, fileSentCopies } from './file-sent-copies.ts'
import { releaseDraft } from './release-drafts.ts'
import { nextSentCopy } from './sent-copy-store.ts'

const skip = withoutDovecot
const dovecot = skip === false ? startDovecot() : undefined
let users = 0

/** A mail server to send through, and the sender's mailbox for the copies. */
async function sender(t: TestContext, folder = 'Sent') {
  const imap = (await dovecot)!
  const me = imap.addUser(`sender${++users}`)
  const account: ImapAccount = { ...plainAccount, port: imap.port, user: me.user }
  const password = { value: me.password }
  const smtp = await startSmtpServer(t)
  const entrance = { ...createEntrance(systemClock, account, me.password), enter: (...args: Parameters<ReturnType<typeof createEntrance>['enter']>) => createEntrance(systemClock, account, password.value).enter(...args) }
  const connector = createSmtpConnector({ name: 'smtp', host: smtp.host, port: smtp.port, security: 'none', from: 'haus@example.org', sent: createSentFolder(entrance, folder) })
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  return {
    outbox, smtp, connector, password,
    append: (raw: Buffer | string) => imap.append('Sent', raw, [], me),
    copies: () => imap.list('Sent', me),
    send: async () => {
      const { id } = await outbox.readyToRelease({ ...aMail, bcc: ['secret@example.org'] }, { connector: 'smtp' })
      assert.equal(await releaseDraft(outbox.deps, id), 'released')
      return outbox.draft(id)
    },
    async copy(id: string) {
      const { proposalId } = await outbox.draft(id)
      const { deliveries } = await historyOf(outbox.database.owner.pool, proposalId)
      return [deliveries[0]!.state, deliveries[0]!.sent_copy, deliveries[0]!.sent_copy_reason]
    },
  }
}

test('what was sent is filed as read in the mailbox of its sender, byte for byte, once, and shows nobody in BCC', { skip }, async (t) => {
  const post = await sender(t)
  await post.append('Subject: before\r\n\r\n')
  const { id, wire, account } = await post.send()
  assert.match(account, /^haus@example\.org via 127\.0\.0\.1:\d+, a copy into Sent of sender\d+ at 127\.0\.0\.1$/)
  assert.deepEqual(await post.copy(id), ['delivered', 'waiting', null])
  await fileSentCopies(post.outbox.deps)
  const [, copy] = await post.copies()
  assert(copy!.raw.equals(wire) && !copy!.raw.includes('secret@'))
  assert.deepEqual(post.smtp.received[0]!.envelope.to.includes('secret@example.org'), true)
  assert.deepEqual(copy!.flags.filter((flag) => flag !== '\\Recent'), ['\\Seen'])
  assert.deepEqual(await post.copy(id), ['delivered', 'filed', null])
  await fileSentCopies(post.outbox.deps)
  assert.equal((await post.copies()).length, 2)
  const draft = await post.outbox.draft(id)
  assert.deepEqual(tellHistory(await historyOf(post.outbox.database.owner.pool, draft.proposalId)).at(-1)!.sent_copy, { state: 'filed', reason: null })
})

test('a message of that name in the folder is left alone: the server filed it itself, or a releaser that died since', { skip }, async (t) => {
  const post = await sender(t)
  const { id, wire } = await post.send()
  await post.append(wire)
  await fileSentCopies(post.outbox.deps)
  assert.deepEqual(await post.copy(id), ['delivered', 'present', null])
  assert.equal((await post.copies()).length, 1)
})

test('a copy that cannot be filed is tried again some times, says why, and what was sent stays sent', { skip }, async (t) => {
  const post = await sender(t)
  await post.append('Subject: before\r\n\r\n')
  const right = post.password.value
  post.password.value = 'wrong'
  const { id } = await post.send()
  for (const wait of copyRetryAfterMs) {
    await fileSentCopies(post.outbox.deps)
    const [delivery, copy, reason] = await post.copy(id)
    assert.deepEqual([delivery, copy], ['delivered', 'waiting'])
    assert.match(reason!, /refused the user/)
    assert.deepEqual(await nextSentCopy(post.outbox.deps.database.pool), new Date(post.outbox.clock.now().getTime() + wait))
    await fileSentCopies(post.outbox.deps) // not due
    post.outbox.clock.advance(wait)
  }
  await fileSentCopies(post.outbox.deps)
  assert.deepEqual((await post.copy(id)).slice(0, 2), ['delivered', 'failed'])
  assert.equal((await post.outbox.draft(id)).state, 'released')

  const next = await post.send()
  await fileSentCopies(post.outbox.deps)
  post.password.value = right
  post.outbox.clock.advance(copyRetryAfterMs[0]!)
  await fileSentCopies(post.outbox.deps)
  assert.deepEqual((await post.copy(next.id)).slice(0, 2), ['delivered', 'filed'])
})

test('a folder that is not there is named, and not made', { skip }, async (t) => {
  const post = await sender(t, 'Gesendet')
  const { id } = await post.send()
  await fileSentCopies(post.outbox.deps)
  assert.match((await post.copy(id))[2]!, /has no folder Gesendet/)
})

test('a copy goes to the mailbox that was signed with the draft, and to no other that was declared since', { skip }, async (t) => {
  const [post, other] = [await sender(t), await sender(t)]
  await other.append('Subject: before\r\n\r\n')
  const { id } = await post.send()
  await fileSentCopies({ ...post.outbox.deps, connectors: other.outbox.deps.connectors })
  assert.deepEqual((await post.copy(id)).slice(0, 2), ['delivered', 'failed'])
  assert.match((await post.copy(id))[2]!, /leads elsewhere now/)
  assert.equal((await other.copies()).length, 1)
})

test('bytes that were altered or erased since are not filed as what was sent', { skip }, async (t) => {
  const post = await sender(t)
  await post.append('Subject: before\r\n\r\n')
  for (const [change, reason] of [[`wire = 'other'`, /not those that were sent/], [`document = '', wire = ''`, /its time was over/]] as const) {
    const { id } = await post.send()
    await post.outbox.database.owner.pool.query(`update draft set ${change} where id = $1`, [id])
    await fileSentCopies(post.outbox.deps)
    const [delivery, copy, why] = await post.copy(id)
    assert.deepEqual([delivery, copy], ['delivered', 'failed'])
    assert.match(why!, reason)
  }
  assert.equal((await post.copies()).length, 1)
})
