import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openTestSession } from '../../../test/support/authenticator.ts'
import { snapshot, testOutbox, untrustedInternal, type TestOutbox } from '../../../test/support/outbox.ts'
import { passkeyOf, signByPasskey, standingOrder } from '../../../test/support/orders.ts'
import { botToken, startTelegramApi } from '../../../test/support/telegram-api.ts'
import { openConnector } from '../connectors/connectors.ts'
import { decideDraft } from '../decide-draft.ts'
import { freezeProposal } from '../freeze-proposal.ts'
import { recoverDrafts } from '../recover-drafts.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { undoDraft } from '../undo-draft.ts'
import { proposeOrder } from './propose-order.ts'
import { revokeOrder } from './revoke-order.ts'

const toMe = { name: 'to-me', kind: 'telegram.message', connector: 'me', per_day: 3, expires_at: null } as const

/** A house that may write to its operator: by a bot, to his own chat. */
async function telegramOutbox(t: TestContext) {
  const api = await startTelegramApi(t, 4711)
  const settings = { name: 'me', kind: 'telegram', chat: '4711', token: { secret: 'bot' }, api: api.url, private: true } as const
  const connector = openConnector(settings, { secrets: { bot: botToken }, folder: '/nowhere', entranceOf: () => { throw new Error('there is no mailbox') } })
  const outbox = await testOutbox(t, { connectors: () => [connector], settings: { connectors: [settings] } })
  const say = (text: string, label = untrustedInternal) => {
    outbox.clock.advance(1) // they leave in the order of their freeze
    return outbox.freeze({ text }, { kind: 'telegram.message', connector: 'me', label })
  }
  const release = async () => {
    outbox.clock.advance(outbox.settings.holdMs)
    await releaseDrafts(outbox.deps)
  }
  return { outbox, say, release, sent: () => api.received.filter(({ path }) => path.endsWith('/sendMessage')).map(({ body }) => JSON.parse(body.toString()).text as string) }
}

test('words to the operator himself may stand without end: so many a day leave, and the rest waits', async (t) => {
  const { outbox, say, release, sent } = await telegramOutbox(t)
  await standingOrder(outbox, toMe)
  const drafts = []
  for (const text of ['one', 'two', 'three', 'four']) drafts.push(await say(text))
  assert.deepEqual(drafts.map(({ state }) => state), ['held', 'held', 'held', 'waiting'])
  await release()
  assert.deepEqual(sent(), ['one', 'two', 'three'])
  outbox.clock.advance(2 * 365 * 86_400_000)
  assert.equal((await say('later')).state, 'held')
  await release()
  assert.deepEqual(sent().at(-1), 'later')
})

test('of many that are frozen at once no more than the count are approved, each by a number of its own', async (t) => {
  const { outbox, release, sent } = await telegramOutbox(t)
  await standingOrder(outbox, toMe)
  const proposals = []
  for (let n = 0; n < 8; n += 1) proposals.push(await outbox.propose({ text: `${n}` }, { kind: 'telegram.message', connector: 'me' }))
  await Promise.all(proposals.map(({ proposal }) => freezeProposal(outbox.deps, proposal)))
  const { rows } = await outbox.database.owner.pool.query(`select state, count(*)::int from draft where kind = 'telegram.message' group by state order by state`)
  assert.deepEqual(rows, [{ state: 'held', count: 3 }, { state: 'waiting', count: 5 }])
  assert.deepEqual((await outbox.database.owner.pool.query('select n from order_use order by n')).rows, [{ n: 1 }, { n: 2 }, { n: 3 }])
  await release()
  assert.equal(sent().length, 3)
})

test('of high risk, of a higher label, or other than the order says: it waits', async (t) => {
  const { outbox, say, release, sent } = await telegramOutbox(t)
  await standingOrder(outbox, { ...toMe, level: 1 })
  const waits = [await say('Please pay the invoice', { ...untrustedInternal, level: 1 }), await say('internal'), await say('secret', { ...untrustedInternal, level: 3 })]
  assert.deepEqual(waits.map(({ state }) => state), ['waiting', 'waiting', 'waiting'])
  assert.match(waits[1]!.reason!, /its label is P2, and the order to-me is for P1 at most/)
  assert.match(waits[0]!.reason!, /it has risk 7/)
  assert.equal((await say('low', { ...untrustedInternal, level: 1 })).state, 'held')
  await release()
  assert.deepEqual(sent(), ['low'])
})

test('an order takes the passkey itself: neither the key of the terminal nor that of a session signs it, nor does the database take it from them', async (t) => {
  const { outbox } = await telegramOutbox(t)
  const { draft, risk } = await proposeOrder(outbox.deps, toMe)
  assert(risk >= 8)
  const session = await openTestSession(outbox.deps, await passkeyOf(outbox))
  await assert.rejects(outbox.approve(draft), { code: 'draft.passkey_needed' })
  await assert.rejects(decideDraft(outbox.deps, draft, { verdict: 'approve', keyId: session.key.id, signature: session.sign((await outbox.draft(draft)).document) }), { code: 'draft.passkey_needed' })
  const { pool } = outbox.database.as('castellan_releaser')
  await pool.query(`insert into decision (id, draft_id, verdict, key_id, signature, decided_at) values (gen_random_uuid(), $1, 'approve', 'ed25519:x', 'x', now())`, [draft])
  for (const state of ['signed', 'held', 'releasing']) await pool.query('update draft set state = $2 where id = $1', [draft, state])
  await assert.rejects(pool.query('select order_grant($1, now())', [draft]), { code: '42501' })
})

test('taken back, an order approves nothing more: what it approved and is held waits for the operator, and no older database brings it back', async (t) => {
  const { outbox, say, release, sent } = await telegramOutbox(t)
  const order = await standingOrder(outbox, toMe)
  const restore = await snapshot(outbox)
  const held = await say('held')
  assert.deepEqual(await revokeOrder(outbox.deps, 'to-me'), { id: order, name: 'to-me', state: 'revoked' })
  const { pool } = outbox.database.as('castellan_releaser')
  await assert.rejects(pool.query(`update draft set state = 'releasing' where id = $1`, [held.id]), { code: 'CA423' }, 'below the code')
  await release()
  assert.equal((await outbox.draft(held.id)).state, 'undone')
  const { rows } = await pool.query<{ id: string; state: string; document: string }>('select id, state, document from draft where replaces = $1', [held.id])
  assert.equal(rows[0]!.state, 'waiting')
  assert.match(rows[0]!.document, /the order to-me was taken back on/)
  assert.equal((await say('after')).state, 'waiting')
  await assert.rejects(revokeOrder(outbox.deps, 'to-me'), { code: 'order.missing' })

  await restore()
  const back = await say('again')
  assert.equal(back.state, 'waiting')
  assert.match(back.reason!, /the order to-me was taken back on/)
  await release()
  assert.deepEqual(sent(), [])
})

test('the count is refilled by nothing: not by an approval that was taken back, a restored database, or a clock that was set wrong', async (t) => {
  const { outbox, say, release, sent } = await telegramOutbox(t)
  await standingOrder(outbox, toMe)
  const restore = await snapshot(outbox)
  const first = await say('1')
  await undoDraft(outbox.deps, first.id)
  await say('2')
  await say('3')
  await release()
  assert.equal((await say('4')).state, 'waiting')
  await restore()
  assert.equal((await say('5')).state, 'waiting', 'the file knows of number 3')
  const now = outbox.clock.now()
  outbox.clock.advance(86_400_000)
  for (const text of ['6', '7', '8']) assert.equal((await say(text)).state, 'held')
  await release()
  outbox.clock.advance(now.getTime() - outbox.clock.now().getTime())
  assert.equal((await say('9')).state, 'waiting', 'the day does not go back')
  await restore()
  assert.equal((await say('10')).state, 'waiting')
  assert.deepEqual(sent(), ['2', '3', '6', '7', '8'])
  for (const statement of ['delete from order_use', 'update order_use set n = 1', `insert into order_use select * from order_use`, 'update standing_order set per_day = 1000', 'delete from standing_order']) {
    await assert.rejects(outbox.database.as('castellan_releaser').pool.query(statement), { code: '42501' }, statement)
  }
})

test('whoever writes into the database widens nothing: what leaves is what the passkey signed', async (t) => {
  const { outbox, say, release, sent } = await telegramOutbox(t)
  const order = await standingOrder(outbox, toMe)
  const owner = outbox.database.owner.pool
  await owner.query('alter table order_use drop constraint order_use_order_id_per_day_fkey, drop constraint order_use_check')
  await owner.query('update standing_order set per_day = 1000')
  for (const text of ['1', '2', '3', '4']) assert.equal((await say(text)).state, 'held')
  await release()
  assert.deepEqual(sent(), ['1', '2', '3'], 'the releaser counts by the signed bytes')
  await owner.query(`update standing_order set wire = convert_to(replace(convert_from(wire, 'UTF8'), '"per_day":3', '"per_day":9'), 'UTF8') where id = $1`, [order])
  outbox.clock.advance(86_400_000)
  const altered = await say('5')
  assert.equal(altered.state, 'waiting')
  assert.match(altered.reason!, /its document names other bytes/)
  await owner.query(`update standing_order set document = replace(document, (select encode(sha256(d.wire), 'hex') from draft d where d.id = $1), encode(sha256(wire), 'hex'))`, [order])
  assert.match((await say('6')).reason!, /the signature of the order to-me does not count any more/)
})

test('without the file of spent nonces, or with the passkey revoked, no order counts', async (t) => {
  const { outbox, say, release, sent } = await telegramOutbox(t)
  await standingOrder(outbox, toMe)
  const held = await say('held')
  await outbox.deps.keys.revoke((await passkeyOf(outbox)).key.id, outbox.clock.now())
  assert.match((await say('1')).reason!, /was revoked/)
  await release()
  assert.equal((await outbox.draft(held.id)).state, 'undone')
  await outbox.deps.spent.close()
  await rm(join(outbox.folder, 'spent-nonces.jsonl'))
  await recoverDrafts(await outbox.reopenSpent())
  assert.match((await say('2')).reason!, /the file of spent nonces does not know/)
  assert.deepEqual(sent(), [])
})

test('single files are moved within the two folders that were signed, and nothing else of that folder', async (t) => {
  const outbox: TestOutbox = await testOutbox(t, {
    connectors: (outgoing) => [openConnector({ name: 'desk', kind: 'files', folders: [{ name: 'desk', path: outgoing, label: untrustedInternal }] }, { secrets: {}, folder: '/nowhere', entranceOf: () => { throw new Error('none') } })],
  })
  for (const folder of ['in/deep', 'done', 'other']) mkdirSync(join(outbox.outgoing, folder), { recursive: true })
  for (const file of ['in/a.pdf', 'in/deep/b.pdf', 'in/c.pdf', 'other/d.pdf', 'in/.npmrc']) writeFileSync(join(outbox.outgoing, file), file)
  await standingOrder(outbox, { name: 'scans', kind: 'files.move', connector: 'desk', folder: 'desk', from: 'in', to: 'done', per_day: 10 })
  const move = (...moves: { from: string; to: string }[]) => outbox.freeze({ folder: 'desk', moves }, { kind: 'files.move', connector: 'desk' }).then(({ state }) => state)
  assert.equal(await move({ from: 'in/a.pdf', to: 'done/a.pdf' }), 'held')
  assert.equal(await move({ from: 'in/deep/b.pdf', to: 'done/b.pdf' }), 'held')
  assert.equal(await move({ from: 'in/c.pdf', to: 'other/c.pdf' }), 'waiting')
  assert.equal(await move({ from: 'other/d.pdf', to: 'done/d.pdf' }), 'waiting')
  assert.equal(await move({ from: 'in/deep', to: 'done/deep' }), 'waiting', 'a folder is more than one file')
  assert.equal(await move({ from: 'in/.npmrc', to: 'done/npmrc' }), 'waiting', 'what is delicate is of high risk')
  assert.equal(await move({ from: 'in/c.pdf', to: 'done/c.pdf' }, { from: 'in/deep/b.pdf', to: 'done/deep.pdf' }), 'waiting')
})

for (const [what, wanted, why] of [
  ['mail', { name: 'x', kind: 'mail', connector: 'me', per_day: 1, expires_at: null }, /does not have the form/],
  ['another connector', { ...toMe, connector: 'you' }, /there is no connector you/],
  ['a kind that it does not carry', { name: 'x', kind: 'mail.move', connector: 'me', from: 'INBOX', to: 'x', senders: ['a@b'], per_day: 1, expires_at: '2026-04-01T00:00:00.000Z' }, /carries nothing of kind mail.move/],
  ['moves without an end', { name: 'x', kind: 'mail.move', connector: 'me', from: 'INBOX', to: 'x', senders: ['a@b'], per_day: 1, expires_at: null }, /does not have the form/],
  ['an end that is over', { ...toMe, expires_at: '2026-01-01T00:00:00.000Z' }, /over before it began/],
  ['an end beyond a year', { ...toMe, expires_at: '2028-01-01T00:00:00.000Z' }, /366 days at most/],
  ['too many a day', { ...toMe, per_day: 1_001 }, /does not have the form/],
  ['P3', { ...toMe, level: 3 }, /does not have the form/],
  ['more than its form', { ...toMe, account: 'mine' }, /does not have the form/],
] as const) {
  test(`an order for ${what} is refused, and says why`, async (t) => {
    const { outbox } = await telegramOutbox(t)
    await assert.rejects(proposeOrder(outbox.deps, wanted), why)
  })
}

test('messages to a group are no words to the operator himself', async (t) => {
  const settings = { name: 'me', kind: 'telegram', chat: '-100123', token: { secret: 'bot' }, api: 'https://api.telegram.org', private: false } as const
  const outbox = await testOutbox(t, { connectors: () => [openConnector(settings, { secrets: { bot: botToken }, folder: '/', entranceOf: () => { throw new Error('none') } })], settings: { connectors: [settings] } })
  await assert.rejects(proposeOrder(outbox.deps, toMe), /group or channel/)
})

test('an order of a name that stands is not made twice; over, its name is free again', async (t) => {
  const { outbox } = await telegramOutbox(t)
  await standingOrder(outbox, { ...toMe, expires_at: '2026-03-03T00:00:00.000Z' })
  const { draft } = await proposeOrder(outbox.deps, toMe)
  await signByPasskey(outbox, draft)
  await releaseDrafts(outbox.deps)
  assert.equal((await outbox.draft(draft)).state, 'failed')
  assert.match((await outbox.draft(draft)).reason!, /another order to-me stands/)
  outbox.clock.advance(86_400_000)
  await standingOrder(outbox, toMe)
})
