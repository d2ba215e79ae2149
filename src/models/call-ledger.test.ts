import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callsOf, clear, gateDatabase, openRun, raise } from '../../test/support/gate.ts'
import { join, PUBLIC_TRUSTED } from '../labels/index.ts'
import { createCallLedger, type CallIntent } from './call-ledger.ts'
import { findSession, hashOfKey, type Session } from './session.ts'

const database = await gateDatabase(['ollama', 'cloud'])
await clear(database.owner, 'client', 'cloud', 'https://cloud.example')
const gates = {
  local: database.as('castellan_gate_local'),
  cloud: database.as('castellan_gate_cloud'),
}
const ledgerOf = (gate: 'local' | 'cloud') => createCallLedger({ database: gates[gate], gate, retentionMs: () => 60_000 })

async function sessionOf(lane: 'open' | 'client' | 'private', level: 0 | 1 | 2 | 3 = 1): Promise<Session> {
  return (await findSession(gates.cloud, hashOfKey((await openRun(database, lane, level)).key)))!
}
const near = { upstream: 'ollama', model: 'm', zone: 'machine' } as const
const far = { upstream: 'cloud', model: 'm', zone: 'cloud' } as const
const intent = (session: Session, candidate: CallIntent['candidate']): CallIntent => ({ session, label: session.label, task: 'chat', candidate, inputTokens: 5, outputTokens: undefined })

test('a session is the run’s: its lane, its label of now, and the lanes as they are declared', async () => {
  const { key, run } = await openRun(database, 'open', 1)
  await raise(database.owner, run, 2)
  const session = await findSession(gates.local, hashOfKey(key))
  assert.deepEqual([session?.run, session?.lane, session?.worker, session?.label], [run, 'open', 'open', { level: 2, integrity: 'trusted', lanes: ['open'] }])
  assert.deepEqual(session?.lanes.get('client'), { name: 'client', worker: 'open', cloudClearance: 1, cleared: [{ name: 'cloud', url: 'https://cloud.example' }], providers: ['ollama', 'cloud'], redacts: false })
  assert.equal(await findSession(gates.local, hashOfKey(`${key}0`)), undefined)
})

test('a call is opened with the label of the run and closed once', async () => {
  const session = await sessionOf('private', 3)
  const ledger = ledgerOf('local')
  const opened = await ledger.open(intent(session, near))
  assert.ok(opened.outcome === 'opened')
  const result = { state: 'succeeded', inputTokens: 1, outputTokens: 2 } as const
  assert.deepEqual([await ledger.close(opened.id, result), await ledger.close(opened.id, result)], [true, false])
  const [row] = await callsOf(database, session.run!)
  assert.deepEqual([row?.state, row?.label_level, row?.label_lanes, row?.closed], ['succeeded', 3, ['private'], true])
  const { rows } = await database.owner.pool.query('select count(*)::int as events from audit_event where subject = $1', [opened.id])
  assert.equal(rows[0].events, 1)
})

test('what was planned for another label is not opened', async () => {
  const session = await sessionOf('open', 1)
  await raise(database.owner, session.run!, 2)
  assert.deepEqual(await ledgerOf('local').open(intent(session, near)), { outcome: 'moved' })
  assert.deepEqual(await callsOf(database, session.run!), [])
})

test('a call may carry more than its run does', async () => {
  const session = await sessionOf('private', 1)
  await ledgerOf('local').open({ ...intent(session, near), label: join(session.label, { ...PUBLIC_TRUSTED, level: 3 }) })
  assert.deepEqual((await callsOf(database, session.run!)).map((row) => row.label_level), [3])
})

test('the database itself keeps the cloud gate from opening what a lane does not clear', async () => {
  for (const [lane, level] of [['open', 2], ['client', 3], ['private', 0]] as const) {
    const session = await sessionOf(lane, level)
    assert.deepEqual(await ledgerOf('cloud').open(intent(session, far)), { outcome: 'moved' }, `${lane} P${level}`)
    assert.deepEqual(await callsOf(database, session.run!), [])
  }
})

test('a row that PostgreSQL has forgotten in a crash is written when the call ends, and one that is there stays as it is', async () => {
  const session = await sessionOf('open', 1)
  const ledger = ledgerOf('cloud')
  const made = intent(session, far)
  const [lost, kept] = [await ledger.open(made), await ledger.open(made)]
  assert.ok(lost.outcome === 'opened' && kept.outcome === 'opened')
  await database.owner.pool.query('delete from model_call where id = $1', [lost.id])
  await database.owner.pool.query(`update model_call set state = 'abandoned', closed_at = now() where id = $1`, [kept.id])
  const result = { state: 'succeeded', inputTokens: 7, outputTokens: 3, cost: { nanoUsd: 2_000, nanoEur: 1_000 } } as const
  assert.deepEqual([await ledger.close(lost.id, result, made), await ledger.close(kept.id, result, made)], [true, false])
  const { rows } = await database.owner.pool.query('select state, input_tokens, output_tokens, cost_eur::float8 as eur from model_call where run_id = $1 order by state', [session.run])
  assert.deepEqual(rows.map(({ state, input_tokens, output_tokens, eur }) => [state, eur === null ? null : eur, state === 'succeeded' ? [input_tokens, output_tokens] : []]), [['abandoned', null, []], ['succeeded', 0.000001, [7, 3]]])
})

test('what a signed act clears is opened for that provider alone, and no more once it is taken back', async () => {
  const session = await sessionOf('client', 2)
  assert.equal((await ledgerOf('cloud').open(intent(session, far))).outcome, 'opened')
  assert.equal((await ledgerOf('cloud').open(intent(session, { ...far, upstream: 'other' }))).outcome, 'moved')
  await database.as('castellan_releaser').pool.query(`select clearance_revoke('client', 'cloud')`)
  assert.equal((await ledgerOf('cloud').open(intent(session, far))).outcome, 'moved')
  assert.equal((await ledgerOf('cloud').open(intent((await findSession(gates.cloud, session.keyHash))!, far))).outcome, 'moved')
  await clear(database.owner, 'client', 'cloud', 'https://cloud.example', new Date(Date.now() - 1))
  assert.deepEqual((await findSession(gates.cloud, session.keyHash))!.lanes.get('client')!.cleared, [])
})

test('the database itself keeps P3 from a machine of the mesh that nobody has signed to be his own', async () => {
  const session = await sessionOf('private', 3)
  const box = { upstream: 'box', model: 'm', zone: 'mesh' } as const
  assert.equal((await ledgerOf('local').open(intent(session, box))).outcome, 'moved')
  await clear(database.owner, null, 'box', 'http://10.0.0.9:11434')
  const found = (await findSession(gates.local, session.keyHash))!
  assert.deepEqual(found.owned, [{ name: 'box', url: 'http://10.0.0.9:11434' }])
  assert.equal((await ledgerOf('local').open(intent(found, box))).outcome, 'opened')
})

test('a gate can neither write for the other, nor rewrite where a call went, nor take a row away', async () => {
  const session = await sessionOf('open', 1)
  const opened = await ledgerOf('cloud').open(intent(session, far))
  assert.ok(opened.outcome === 'opened')
  const denied = { code: '42501' }
  await assert.rejects(gates.cloud.pool.query(`update model_call set zone = 'machine' where id = $1`, [opened.id]), denied)
  await assert.rejects(gates.cloud.pool.query(`update model_call set label_level = 0 where id = $1`, [opened.id]), denied)
  await assert.rejects(gates.cloud.pool.query(`delete from model_call where id = $1`, [opened.id]), denied)
  await assert.rejects(createCallLedger({ database: gates.cloud, gate: 'local', retentionMs: () => 1 }).refuse({ session, label: session.label, task: 'chat', model: 'm', reason: 'r', set: [] }), denied)
  assert.equal(await ledgerOf('local').close(opened.id, { state: 'failed', inputTokens: 0, outputTokens: 0 }), false)
  assert.equal((await callsOf(database, session.run!))[0]?.state, 'open')
})

test('a call of a model of one’s own costs nothing; what a cloud takes is not known, unless nothing reached it', async () => {
  const session = await sessionOf('open', 1)
  const call = async (gate: 'local' | 'cloud', candidate: CallIntent['candidate'], tokens?: number) => {
    const opened = await ledgerOf(gate).open(intent(session, candidate))
    assert.ok(opened.outcome === 'opened')
    if (tokens !== undefined) await ledgerOf(gate).close(opened.id, { state: 'failed', inputTokens: tokens, outputTokens: 0 })
    return (await database.owner.pool.query<{ cost_eur: number | null }>('select cost_eur from model_call where id = $1', [opened.id])).rows[0]!.cost_eur
  }
  assert.deepEqual([await call('local', near), await call('local', near, 7)], [0, 0])
  assert.deepEqual([await call('cloud', far), await call('cloud', far, 7), await call('cloud', far, 0)], [null, null, 0])
})

test('a refusal writes no name that does not look like one', async () => {
  const session = await sessionOf('open', 3)
  await ledgerOf('cloud').refuse({ session, label: session.label, task: 'chat', model: 'the password is 1234', reason: 'no', set: ['a', 'b'] })
  const [row] = await callsOf(database, session.run!)
  assert.deepEqual([row?.model, row?.reason, row?.state], [null, 'no; set: a, b', 'refused'])
})
