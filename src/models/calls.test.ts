import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clear, closedCallsOf, gateDatabase, openRun, raise } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'
import { createLogger } from '../kernel/log.ts'
import { openMoney } from './budget/open-money.ts'
import { createCallLedger } from './call-ledger.ts'
import { createCalls, type CallRequest } from './calls.ts'
import { declareModels } from './declared-models.ts'
import { openRouting } from './route/open-routing.ts'
import { findSession, hashOfKey, rememberSessions, type Session } from './session.ts'
import { collect, isFault } from './upstream.contract.ts'

after(async () => {
  await models.catalog.close()
  await far.close()
})
const far = await startModelServer({ models: [{ name: 'far' }] })
const database = await gateDatabase(['cloud'])
const gate = database.as('castellan_gate_cloud')
await clear(database.owner, 'client', 'cloud', `${far.url}/v1`)
const models = declareModels({ upstreams: [{ name: 'cloud', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' }], routes: {} }, 'cloud', {})
const calls = createCalls({
  gate: 'cloud', database: gate, sessions: rememberSessions(gate), models: () => models,
  money: openMoney({
    database: gate, timezone: () => 'UTC', onError: assert.ifError,
    spending: () => ({ budgets: [], prices: {}, microEurPerUsd: 900_000, allowUnknownPrice: true }),
  }),
  ledger: createCallLedger({ database: gate, gate: 'cloud', retentionMs: () => 60_000 }),
  log: createLogger({ name: 'test', level: 'error' }),
  routing: openRouting(() => ({ retry: { tries: 1, longestWaitMs: 0 }, breaker: { failures: 5, restMs: 1_000 }, limits: {}, cache: null })),
  leftIn: () => [],
  checkAsIs: () => {},
})
const request = (session: Session, signal = new AbortController().signal): CallRequest => ({
  session, key: '', model: 'far', signal, conversation: { messages: [{ role: 'user', content: 'Hello' }] },
})

test('what was looked up before the label rose is looked up again, and refused', async () => {
  const { key, run } = await openRun(database, 'open', 1)
  const session = (await findSession(gate, hashOfKey(key)))!
  await raise(database.owner, run, 2)
  await assert.rejects(calls.call(request(session)), isFault('refused', 'label_refused'))
  assert.equal(far.calls().length, 0)
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.label_level]), [['refused', 2]])
})

test('what was looked up before the run was taken over is nobody’s now', async () => {
  const { key, run } = await openRun(database, 'open', 1)
  const session = (await findSession(gate, hashOfKey(key)))!
  await database.as('castellan_worker_open').pool.query(`select run_claim($1, 'other', 1000)`, [run])
  await assert.rejects(calls.call(request(session)), isFault('refused', 'session_unknown'))
  assert.equal(far.calls().length, 0)
  assert.deepEqual(await closedCallsOf(database, run), [])
})

test('a label that rose within what is cleared is written down as it is now', async () => {
  const { key, run } = await openRun(database, 'client', 1)
  const session = (await findSession(gate, hashOfKey(key)))!
  await raise(database.owner, run, 2)
  await collect((await calls.call(request(session))).chunks)
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.label_level]), [['succeeded', 2]])
})

test('an answer that nobody reads to its end is abandoned with what was said', async () => {
  const { key, run } = await openRun(database, 'open', 1)
  far.next({ text: ['four', 'more', 'never read'] })
  const { chunks } = await calls.call(request((await findSession(gate, hashOfKey(key)))!))
  await chunks.next()
  await chunks.return?.()
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.reason, row.output_tokens]), [['abandoned', 'client_gone', 1]])
})

test('who is gone before the call began leaves no row', async () => {
  const { key, run } = await openRun(database, 'open', 1)
  const sent = far.calls().length
  const reason = new Error('gone')
  await assert.rejects(calls.call(request((await findSession(gate, hashOfKey(key)))!, AbortSignal.abort(reason))), reason)
  assert.equal(far.calls().length, sent)
  assert.deepEqual(await closedCallsOf(database, run), [])
})

test('what was remembered refuses nobody: a lane that was cleared a moment ago is', async () => {
  const { key, run } = await openRun(database, 'open', 2)
  const session = (await findSession(gate, hashOfKey(key)))!
  await clear(database.owner, 'open', 'cloud', `${far.url}/v1`)
  await collect((await calls.call(request(session))).chunks)
  await database.as('castellan_releaser').pool.query(`select clearance_revoke('open', 'cloud')`)
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => row.state), ['succeeded'])
})

test('what was remembered opens nothing: an upstream that a lane has lost since is not asked', async () => {
  const { key, run } = await openRun(database, 'open', 1)
  const session = (await findSession(gate, hashOfKey(key)))!
  const sent = far.calls().length
  await database.owner.pool.query(`update lane set providers = '{other}' where name = 'open'`)
  await assert.rejects(calls.call(request(session)), isFault('refused', 'label_refused'))
  await database.owner.pool.query(`update lane set providers = '{cloud}' where name = 'open'`)
  assert.equal(far.calls().length, sent)
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => row.state), ['refused'])
})

test('calls that come together are opened together, and what one of them may not do the others still may', async () => {
  const keys = await Promise.all([openRun(database, 'open', 1), openRun(database, 'open', 1), openRun(database, 'client', 2)])
  const sessions = await Promise.all(keys.map(async ({ key }) => (await findSession(gate, hashOfKey(key)))!))
  await raise(database.owner, keys[1]!.run, 2)
  const results = await Promise.allSettled([...sessions, ...sessions].map(async (session) => collect((await calls.call(request(session))).chunks)))
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  const states = await Promise.all(keys.map(async ({ run }) => (await closedCallsOf(database, run)).map((row) => row.state)))
  assert.deepEqual(states, [['succeeded', 'succeeded'], ['refused', 'refused'], ['succeeded', 'succeeded']])
})
