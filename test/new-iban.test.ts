import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newId } from '../src/kernel/ids.ts'
import { readDraftDetail } from '../src/outbox/draft-detail.ts'
import { expireDrafts } from '../src/outbox/expire-drafts.ts'
import { releaseDrafts } from '../src/outbox/release-drafts.ts'
import { createMailParser } from '../src/tools/mail/parse-mail.ts'
import { createSandbox } from '../src/sandbox/index.ts'
import { testOutbox, type TestOutbox } from './support/outbox.ts'

const [invoice, newIban] = ['03-invoice-kranich.eml', '04-invoice-new-iban.eml'].map((name) => readFileSync(join(import.meta.dirname, '..', 'house', 'sample', 'mailbox', name))) as [Buffer, Buffer]
const corrected = '<a91f33d0$kranich@kranich-hosting-billing.example>'

/** The invoice, and then the one with another account: stored as the releaser does, read as a worker does. */
async function mailboxOfTheFraud(outbox: TestOutbox): Promise<void> {
  const parse = createMailParser({ sandbox: await createSandbox() })
  for await (const [index, mail] of parse([invoice, newIban], new AbortController().signal)) {
    const id = newId()
    await outbox.database.as('castellan_releaser').pool.query(`select mail_store($1, 'sample', 'inbox', $2, $3, $4, 2::smallint, 'untrusted', '{private}')`, [id, id, [invoice, newIban][index], '2026-11-19T21:47:50Z'])
    await outbox.database.as('castellan_worker_private').pool.query('select mail_parsed($1, $2, $3, $4, null, 2::smallint)', [id, mail.envelope.messageId, JSON.stringify(mail.envelope), mail.text])
  }
}

const reasonsOf = async (outbox: TestOutbox, id: string) => (await readDraftDetail(outbox.deps.database.pool, id, outbox.clock.now())).reasons

test('an answer to the mail with the new IBAN is high-risk for what it answers, though its own words are harmless', async (t) => {
  const outbox = await testOutbox(t)
  await mailboxOfTheFraud(outbox)
  const draft = await outbox.freeze({ to: ['accounts.kranich@freemail.example'], subject: 'Re: 2026-1187', text: 'Done, thank you.', inReplyTo: corrected })
  assert(draft.risk >= 7)
  const reasons = await reasonsOf(outbox, draft.id)
  assert(reasons.includes('at least 7: the mail that it answers speaks of a change of bank details'), reasons.join('\n'))
  assert(reasons.includes('+1 the mail that it answers came from billing@kranich-hosting-billing.example, and the answer does not go there'), reasons.join('\n'))
  const shown = await readDraftDetail(outbox.deps.database.pool, draft.id, outbox.clock.now())
  assert.deepEqual([shown.session_may_sign, shown.high_risk, shown.answers?.from], [false, true, 'Kranich Hosting <billing@kranich-hosting-billing.example>'])
})

test('an answer to the honest invoice that says nothing of money stays what it was', async (t) => {
  const outbox = await testOutbox(t)
  await mailboxOfTheFraud(outbox)
  const { risk } = await outbox.freeze({ to: ['rechnung@kranich-hosting.example'], subject: 'Re: November', text: 'Thank you.', inReplyTo: '<invoice-2026-1187@kranich-hosting.example>' })
  assert(risk < 7, String(risk))
})

test('forwarded to the bookkeeper, it names another account than the one that was sent to her before', async (t) => {
  const outbox = await testOutbox(t)
  const words = (mail: Buffer) => mail.toString('utf8').replaceAll('\r\n', '\n').split('\n--')[1]!.split('\n\n').slice(1).join('\n\n')
  const forward = { to: ['Buchhaltung <books@halden.example>'], subject: 'Fwd: 2026-1187' }
  await outbox.readyToRelease({ ...forward, text: words(invoice) })
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  const again = await outbox.freeze({ ...forward, text: words(invoice) })
  assert(!(await reasonsOf(outbox, again.id)).some((reason) => /names the account/.test(reason)))
  const draft = await outbox.freeze({ ...forward, text: words(newIban) })
  assert(draft.risk >= 8)
  const reasons = await reasonsOf(outbox, draft.id)
  for (const reason of [
    'at least 7: it holds something like an IBAN', 'at least 7: it speaks of a change of bank details',
    'at least 8: it names the account LT121000011101001000; what was sent to them before named DE89370400440532013000',
  ]) assert(reasons.includes(reason), `${reason}\n\n${reasons.join('\n')}`)
})

test('unsigned, it counts as denied after half an hour, and the run that waits is told', async (t) => {
  const outbox = await testOutbox(t)
  await mailboxOfTheFraud(outbox)
  const draft = await outbox.freeze({ to: ['accounts.kranich@freemail.example'], subject: 'Re: 2026-1187', text: 'Done.', inReplyTo: corrected })
  outbox.clock.advance(30 * 60_000 - 1)
  assert.equal(await expireDrafts(outbox.deps), 0)
  outbox.clock.advance(1)
  assert.deepEqual(await outbox.approve(draft.id), { outcome: 'too_late', was: 'expired' })
  assert.equal(await expireDrafts(outbox.deps), 1)
  assert.match((await outbox.draft(draft.id)).reason!, /nobody signed it in time/)
  assert.equal(outbox.woken.length, 1)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
})
