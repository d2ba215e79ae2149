import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { openTestRun, takeOver, type TestRun } from '../../../test/support/tool-run.ts'
import { newId } from '../../kernel/ids.ts'
import { callTool } from '../call-tool.ts'
import { Park } from '../park.ts'
import type { ToolContext } from '../tool-context.ts'
import { mailFlag, mailMove } from '../mail/propose-acts.ts'
import { createProposals } from './create-proposals.ts'
import { outboxList } from './list.ts'
import { orderPropose } from './propose-order.ts'
import { outboxPropose } from './propose.ts'
import { outboxTell } from './tell.ts'
import { outboxWait } from './wait.ts'

const database = await testDatabase()
let here: TestRun
beforeEach(async () => {
  here = await openTestRun(database)
})

function context(tell?: string): ToolContext {
  const proposals = createProposals({ database: database.as('castellan_worker_private'), step: 'only', connectors: ['file'], tell, ...here })
  return { ...here, proposals, signal: new AbortController().signal, clock: { now: () => new Date() }, wasMadeWithoutModel: () => false } as Partial<ToolContext> as ToolContext
}
const mail = (key: string, more: object = {}) => ({ key, kind: 'mail', to: ['eva@example.org'], subject: 'Hello', text: 'Good morning', ...more })
const propose = async (proposals: object[], connector = 'file') =>
  (await callTool(outboxPropose, context(), { connector, proposals })).output as { proposed: { id: string; key: string; fresh: boolean }[] }
/** As the releaser would: a frozen draft in this state. */
async function freeze(proposal: string, state: string): Promise<void> {
  await database.owner.pool.query(
    `insert into draft (id, proposal_id, kind, connector, account, document, wire, nonce, risk, summary, state, frozen_at, expires_at)
     values ($1, $2, 'mail', 'file', 'x', '{}', '', $3, 1, '{}', $4, now(), now() + interval '1 day')`,
    [newId(), proposal, newId(), state],
  )
}

test('a proposal carries the label of the run, and its payload without the key', async () => {
  const { proposed } = await propose([mail('m1', { inReplyTo: '<1@x>' })])
  const { rows } = await database.owner.pool.query('select id, step_id, item_key, kind, connector, payload, state, label_level, label_lanes from proposal where run_id = $1', [here.run.id])
  assert.deepEqual(rows, [{
    id: proposed[0]!.id, step_id: 'only', item_key: 'm1', kind: 'mail', connector: 'file', state: 'proposed', label_level: 1, label_lanes: ['private'],
    payload: { to: ['eva@example.org'], subject: 'Hello', text: 'Good morning', inReplyTo: '<1@x>' },
  }])
})

test('what leaves by other ways than mail is proposed in the form of its kind, and in no other', async () => {
  const acts = [
    { key: 'a', kind: 'webhook', body: { type: 'lead.new', data: [1, null] } }, { key: 'b', kind: 'http.request', method: 'POST', path: '/leads', headers: { 'x-a': 'b' }, body: { a: 1 } },
    { key: 'c', kind: 'telegram.message', text: 'Hallo', parseMode: 'HTML' }, { key: 'd', kind: 'files.delete', folder: 'vault', paths: ['old'] },
    { key: 'e', kind: 'files.move', folder: 'vault', moves: [{ from: 'a', to: 'b' }] }, { key: 'f', kind: 'git.push', branch: 'agent/x', commit: 'a'.repeat(40) },
    { key: 'g', kind: 'pull.open', head: 'agent/x', base: 'main', title: 'Say two' },
    { key: 'h', kind: 'social.post', text: 'Hallo', visibility: 'public', language: 'de' },
    { key: 'i', kind: 'calendar.create', title: 'Zahnarzt', start: '2026-03-02T10:00', end: '2026-03-02T11:00', zone: 'Europe/Berlin', repeat: { every: 'week', times: 3 } },
    { key: 'j', kind: 'calendar.change', event: 'x.ics', title: 'Ferien', start: '2026-03-02', end: '2026-03-03' }, { key: 'k', kind: 'calendar.delete', event: 'x.ics' },
    { key: 'l', kind: 'newsletter.send', subject: 'März', lists: ['Readers'], text: 'Hallo' }, { key: 'm', kind: 'shell.act', folder: 'vault', argv: ['/usr/bin/rm', 'old.md'], cwd: 'notes' },
  ]
  assert.equal((await propose(acts)).proposed.length, acts.length)
  const { rows } = await database.owner.pool.query('select item_key as key, kind, payload from proposal where run_id = $1 order by item_key', [here.run.id])
  assert.deepEqual(rows.map(({ key, kind, payload }) => ({ key, kind, ...payload })), acts)
  for (const act of acts) await assert.rejects(propose([{ ...act, key: 'z', url: 'https://elsewhere.example' }]), { kind: 'invalid' }, act.kind)
})

test('an order is proposed as any act, in its own form, and by that tool alone', async () => {
  const order = { name: 'news', kind: 'mail.move', connector: 'mailbox', per_day: 50, expires_at: '2026-12-01T00:00:00.000Z', from: 'INBOX', to: 'News', senders: ['news@shop.example'] }
  await callTool(orderPropose, context(), { key: 'news', ...order })
  const { rows } = await database.owner.pool.query('select kind, connector, payload, label_level, state from proposal where run_id = $1', [here.run.id])
  assert.deepEqual(rows, [{ kind: 'order.stand', connector: 'castellan.orders', payload: order, label_level: 1, state: 'proposed' }])
  await assert.rejects(callTool(orderPropose, context(), { key: 'more', ...order, account: 'mine' }), { kind: 'invalid' })
  await assert.rejects(propose([{ ...order, key: 'x', kind: 'order.stand' }]), { kind: 'invalid' })
})

test('messages are proposed to be moved or flagged one by one, by what mail.list gave', async () => {
  const [a, b] = [newId(), newId()]
  const messages = [{ id: a, subject: 'x' }, { id: b }, { id: a }]
  const moved = (await callTool(mailMove, context(), { connector: 'file', to: 'Archive', messages })).output as { proposed: { key: string }[] }
  assert.deepEqual(moved.proposed.map(({ key }) => key), [a, b])
  const { proposed } = await propose([{ key: 'k', kind: 'mail.flag', message: a, add: ['seen'] }])
  const { rows } = await database.owner.pool.query('select kind, payload from proposal where run_id = $1 order by proposed_at', [here.run.id])
  assert.deepEqual(rows, [
    { kind: 'mail.move', payload: { message: a, to: 'Archive' } }, { kind: 'mail.move', payload: { message: b, to: 'Archive' } },
    { kind: 'mail.flag', payload: { message: a, add: ['seen'] } },
  ])
  assert.equal(proposed.length, 1)
  await assert.rejects(callTool(mailFlag, context(), { connector: 'file', messages: [{ id: 'nonsense' }], add: ['seen'] }), { kind: 'invalid' })
})

test('a step that is repeated finds its first proposals, whatever it would say now', async () => {
  const first = await propose([mail('m1'), mail('m2')])
  const again = await propose([mail('m1', { text: 'something else' }), mail('m2'), mail('m3')])
  assert.deepEqual(again.proposed.map(({ fresh }) => fresh), [false, false, true])
  assert.deepEqual(again.proposed.slice(0, 2).map(({ id }) => id), first.proposed.map(({ id }) => id))
  const { rows } = await database.owner.pool.query(`select payload ->> 'text' as text from proposal where run_id = $1 and item_key = 'm1'`, [here.run.id])
  assert.deepEqual(rows, [{ text: 'Good morning' }])
})

test('what does not have the closed form of its kind is refused with the path', async () => {
  const wrong: [object, RegExp][] = [
    [mail('m', { html: '<b>' }), /proposals\.0: does not know html/], [mail('m', { to: [] }), /proposals\.0\.to: expected at least 1/],
    [mail('', {}), /proposals\.0\.key/], [{ ...mail('m'), kind: 'transfer' }, /proposals\.0/], [mail('m', { from: 'boss@x' }), /does not know from/],
    [mail('m', { headers: { bcc: 'x' } }), /does not know headers/],
  ]
  for (const [proposal, message] of wrong) await assert.rejects(propose([proposal]), { kind: 'invalid', message }, JSON.stringify(proposal))
  await assert.rejects(propose([mail('same'), mail('same')]), { code: 'outbox.key' })
  await assert.rejects(propose([mail('m')], 'smtp'), { code: 'outbox.connector', message: /declares no connector "smtp"; it declares: file/ })
})

test('a step that has read more than the run is labelled cannot propose: the label would be too low', async () => {
  here.raise({ level: 2, integrity: 'untrusted', lanes: ['private'] })
  await assert.rejects(propose([mail('m')]), { kind: 'refused', code: 'outbox.label' })
})

test('an executor that lost the run proposes nothing', async () => {
  await takeOver(database.owner, here.run.id)
  await assert.rejects(propose([mail('m')]), { kind: 'conflict', code: 'run.fence_lost' })
})

test('a run waits until each of its proposals is closed, then is told what became of them', async () => {
  const { proposed } = await propose([mail('a'), mail('b'), mail('c')])
  const wait = () => callTool(outboxWait, context(), { proposals: [proposed[0]!.id, proposed[1], proposed[2]!.id] })
  await assert.rejects(wait(), (park: unknown) => park instanceof Park && park.reason === '3 of 3 proposals wait for a decision')
  await freeze(proposed[0]!.id, 'released')
  await freeze(proposed[1]!.id, 'waiting')
  await database.owner.pool.query(`update proposal set state = 'refused' where id = $1`, [proposed[2]!.id])
  await assert.rejects(wait(), (park: unknown) => park instanceof Park && park.reason === '1 of 3 proposals wait for a decision')
  await database.owner.pool.query(`update draft set state = 'denied' where proposal_id = $1`, [proposed[1]!.id])
  assert.deepEqual((await wait()).output, {
    states: [{ id: proposed[0]!.id, state: 'released' }, { id: proposed[1]!.id, state: 'denied' }, { id: proposed[2]!.id, state: 'refused' }],
    counts: { released: 1, denied: 1, refused: 1 },
  })
})

test('a delivery of which nobody knows whether it happened is still waited for', async () => {
  const { proposed } = await propose([mail('a')])
  await freeze(proposed[0]!.id, 'unknown')
  await assert.rejects(callTool(outboxWait, context(), { proposals: [proposed[0]!.id] }), (park: unknown) => park instanceof Park)
})

test('waiting for nothing does not wait, and for something unknown is an error', async () => {
  assert.deepEqual((await callTool(outboxWait, context(), { proposals: [] })).output, { states: [], counts: {} })
  await assert.rejects(callTool(outboxWait, context(), { proposals: [newId()] }), { kind: 'missing' })
})

test('the list says where each proposal stands, and raises the run by what it shows', async () => {
  const { proposed } = await propose([mail('a')])
  await database.owner.pool.query('update proposal set label_level = 2 where id = $1', [proposed[0]!.id])
  const { output, label } = await callTool(outboxList, context(), { since: '1h' })
  const row = (output as { proposals: { id: string; state: string; key: string }[] }).proposals.find(({ id }) => id === proposed[0]!.id)
  assert.deepEqual([row?.key, row?.state, label.level], ['a', 'proposed', 2])
  await database.owner.pool.query('update proposal set label_level = 3 where id = $1', [proposed[0]!.id])
  const after = (await callTool(outboxList, context(), {})).output as { proposals: { id: string }[] }
  assert.ok(!after.proposals.some(({ id }) => id === proposed[0]!.id))
})

test('what is said to the operator goes by the way that the house names, once a key; where it names none, nothing is proposed', async () => {
  const tell = async (way?: string, text = 'Hello') => (await callTool(outboxTell, context(way), { key: 'k', text })).output
  const proposals = async () => (await database.owner.pool.query('select kind, connector, payload, state from proposal where run_id = $1', [here.run.id])).rows
  assert.deepEqual(await tell(), { by: null, proposed: [] })
  const ofAlerts = { ...context(), run: { ...here.run, toldAlerts: true } } as ToolContext
  await assert.rejects(callTool(outboxTell, ofAlerts, { key: 'k', text: 'Hello' }), { code: 'outbox.tell' }, 'alerts count as told with their run')
  assert.deepEqual(await proposals(), [])
  const { by, proposed: [first] } = (await tell('file')) as { by: string; proposed: { id: string }[] }
  assert.equal(by, 'file')
  assert.deepEqual(await tell('file', 'Hello again'), { by, proposed: [{ id: first!.id, key: 'k', fresh: false }] })
  assert.deepEqual(await proposals(), [{ kind: 'telegram.message', connector: 'file', payload: { text: 'Hello' }, state: 'proposed' }])
  for (const more of [{ connector: 'file' }, { chat: '1' }, { text: '' }, { text: 'x'.repeat(4_097) }]) await assert.rejects(callTool(outboxTell, context('file'), { key: 'k', text: 'x', ...more }), { kind: 'invalid' })
})
