import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { withoutDovecot } from '../../../test/support/dovecot.ts'
import { mailboxOutbox, mailFrom } from '../../../test/support/mailbox-outbox.ts'
import { newsletters, signByPasskey, standingOrder } from '../../../test/support/orders.ts'
import { readDraftDetail } from '../draft-detail.ts'
import { freezeProposals } from '../freeze-proposal.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { takeBack } from '../take-back.ts'

const skip = withoutDovecot
const news = (count: number, from = 'news@shop.example') => mailFrom(from, `issue-${count}`)

async function newsletterBox(t: TestContext) {
  const box = await mailboxOutbox(t)
  const { outbox } = box
  await box.append('News', mailFrom('eva@example.org', 'first'))
  return {
    ...box,
    /** What an agent does with what is in the mailbox: it proposes to move it. @returns the drafts, as they are after a round of the releaser */
    async file(messages: readonly string[], to = 'News') {
      const proposals: { proposal: string }[] = []
      for (const message of messages) proposals.push(await outbox.propose({ message, to }, { kind: 'mail.move', connector: 'mailbox' }))
      for (;;) if (!(await freezeProposals(outbox.deps)).more) break
      outbox.clock.advance(outbox.settings.holdMs)
      await releaseDrafts(outbox.deps)
      const { rows } = await outbox.database.owner.pool.query<{ id: string; state: string; reason: string | null }>(
        'select id, state, reason from draft where proposal_id = any ($1) order by array_position($1, proposal_id)', [proposals.map(({ proposal }) => proposal)])
      return rows
    },
    filed: async () => (await box.list('News')).length - 1,
  }
}

test('an order to file newsletters files fifty a day and asks for the next; after midnight it files again, and after its end none', { skip }, async (t) => {
  const box = await newsletterBox(t)
  const { outbox } = box
  for (let n = 0; n < 53; n += 1) await box.append('INBOX', news(n))
  const messages = await box.mirrored()
  const order = await standingOrder(outbox, newsletters)

  const drafts = await box.file(messages.slice(0, 51))
  assert.deepEqual(drafts.slice(0, 50).map(({ state }) => state), Array(50).fill('released'))
  assert.deepEqual([drafts[50]!.state, drafts[50]!.reason], ['waiting', 'it waits for you: the order newsletters is for 50 a day, and they are used up'])
  assert.equal(await box.filed(), 50)
  const { rows } = await outbox.database.owner.pool.query('select distinct c.key_id, c.signature, c.assertion, c.order_id from decision c join draft d on d.id = c.draft_id where d.kind = $1', ['mail.move'])
  assert.deepEqual(rows, [{ key_id: null, signature: null, assertion: null, order_id: order }], 'a decision that names the order, and no bare flag')
  const detail = await readDraftDetail(outbox.database.owner.pool, drafts[0]!.id, outbox.clock.now())
  assert.equal(detail.history.find(({ event }) => event === 'approved')?.by, 'order newsletters')

  // the operator signs the one that asks, as any
  await outbox.approve(drafts[50]!.id)
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  assert.equal(await box.filed(), 51)

  outbox.clock.advance(14 * 3_600_000) // 00:00 in Berlin is over, in UTC it is not
  assert.deepEqual((await box.file([messages[51]!])).map(({ state }) => state), ['released'])
  assert.equal((await takeBack(outbox.deps, (await outbox.database.owner.pool.query('select draft_id as id from order_use order by used_at desc limit 1')).rows[0].id)).outcome, 'taken_back')
  assert.equal(await box.filed(), 51)

  outbox.clock.advance(31 * 86_400_000)
  const [late] = await box.file([messages[52]!])
  assert.equal(late!.state, 'waiting')
  assert.match(late!.reason!, /the order newsletters was over on/)
  assert.equal(await box.filed(), 51)
})

test('an agent cannot widen an order: another sender, folder or way waits, and an order that it proposes takes a passkey', { skip }, async (t) => {
  const box = await newsletterBox(t)
  const { outbox } = box
  await box.append('INBOX', news(1))
  await box.append('INBOX', mailFrom('boss@firm.example', 'urgent'))
  const [issue, urgent] = await box.mirrored()
  await standingOrder(outbox, newsletters)

  assert.deepEqual((await box.file([urgent!])).map(({ state }) => state), ['waiting'])
  assert.deepEqual((await box.file([issue!], 'Trash')).map(({ state }) => state), ['waiting'])
  const flagged = await outbox.freeze({ message: issue, add: ['seen'] }, { kind: 'mail.flag', connector: 'mailbox' })
  assert.equal(flagged.state, 'waiting')
  // a worker that was taken over says that the boss writes newsletters: the mail server says otherwise
  await outbox.database.owner.pool.query(`update mail_message set envelope = jsonb_set(envelope, '{from,address}', '"news@shop.example"') where id = $1`, [urgent])
  const [lied] = await box.file([urgent!])
  assert.equal(lied!.state, 'failed')
  assert.equal(await box.filed(), 0)
  await box.mirrored()

  const wider = { ...newsletters, name: 'wider', senders: ['boss@firm.example', 'news@shop.example'], per_day: 1_000, level: 2, expires_at: '2026-04-01T00:00:00.000Z' }
  const draft = await outbox.freeze(wider, { kind: 'order.stand', connector: 'castellan.orders' })
  assert.equal(draft.state, 'waiting')
  await assert.rejects(outbox.approve(draft.id), { code: 'draft.passkey_needed' }, 'the key of the terminal makes no order')
  assert.equal((await outbox.draft(draft.id)).state, 'waiting')
  assert.deepEqual((await box.file([urgent!])).map(({ state }) => state), ['waiting'])
  assert.deepEqual((await outbox.database.owner.pool.query('select name from standing_order')).rows, [{ name: 'newsletters' }])

  // what he does sign stands beside the other, and is shown as what it is
  await signByPasskey(outbox, draft.id)
  await releaseDrafts(outbox.deps)
  assert.deepEqual((await outbox.database.owner.pool.query('select name from standing_order order by name')).rows, [{ name: 'newsletters' }, { name: 'wider' }])
})
