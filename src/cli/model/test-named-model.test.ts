import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { stubHouse, type StubRoutes } from '../../../test/support/cli.ts'
import { allClosed, gateDatabase, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'
import { findModel } from './test-named-model.ts'

// before the database's own hook, so that the gate stops first
after(async () => {
  await gate.stop()
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const database = await gateDatabase(['ollama'])
const gate = await startGate(database, 'gate-local', { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }] })

const upstream = {
  name: 'ollama', kind: 'ollama', zone: 'machine', url: 'http://x', state: 'answers', reason: null, latency_ms: 1, routes: [{ task: 'summarize', model: 'auto' }],
  models: [{ name: 'scripted:latest', zone: 'machine', embedding: false }, { name: 'large:cloud', zone: 'cloud', embedding: false }],
  calls: 0, failed: 0, input_tokens: 0, output_tokens: 0, cost_eur: 0,
}
const far = { ...upstream, name: 'far', kind: 'openai', zone: 'cloud', models: [], routes: [] }
const listed: StubRoutes = { 'GET /api/models': { data: [upstream, far] } }
const ports = { gateLocal: Number(new URL(gate.address).port) }

/** The releaser's part, on the real database. */
const key = `ck_${randomBytes(32).toString('hex')}`
const { pool } = database.as('castellan_releaser')
async function makeKey(): Promise<string> {
  const name = `model-test-${randomBytes(4).toString('hex')}`
  await pool.query('select client_key_make($1, $2, $3, $4, $5, $6::smallint, $7, $8)', [
    randomUUID(), name, createHash('sha256').update(key).digest(), 'local', 'private', 0, ['ollama/scripted:latest'], null,
  ])
  return name
}

test('a model is found by its upstream or by its name alone, and one that is not listed by its upstream only', () => {
  const upstreams = [upstream, far]
  const scripted = { upstream: 'ollama', model: 'scripted:latest', zone: 'machine', declared: 'machine', listed: true }
  for (const name of ['ollama/scripted:latest', 'ollama/scripted', 'scripted']) assert.deepEqual(findModel(name, upstreams), scripted)
  assert.deepEqual(findModel('large:cloud', upstreams), { ...scripted, model: 'large:cloud', zone: 'cloud' })
  assert.deepEqual(findModel('far/new', upstreams), { upstream: 'far', model: 'new', zone: 'cloud', declared: 'cloud', listed: false })
  for (const name of ['nothing', 'far/', 'summarize']) assert.equal(findModel(name, upstreams), undefined)
})

test('a model is asked through its gate by a key for it alone, which is revoked after', async (t) => {
  const name = await makeKey()
  const { run, asked } = await stubHouse(t, { server: listed, releaser: { 'POST /client-keys': { data: { name, key } }, [`POST /client-keys/${name}/revoke`]: { data: { name, state: 'revoked' } } } }, { ports })
  const { exit, json } = await run(['model', 'test', 'scripted', '--json'])
  const { data } = json<{ state: string; zone: string; gate: string; abilities: Record<string, { works: boolean }> }>()
  assert.deepEqual([exit, data.state, data.zone, data.gate], [0, 'answered', 'machine', 'local'])
  assert.deepEqual([data.abilities['streaming']?.works, data.abilities['tools']?.works], [true, false])
  const { name: wanted, lasts, ...body } = asked.find(({ route }) => route === 'POST /client-keys')!.body as Record<string, unknown>
  assert.match(String(wanted), /^model-test-[0-9a-f]{8}$/)
  assert.deepEqual([typeof lasts, body], ['number', { gate: 'local', lane: 'private', max_level: 0, models: ['ollama/scripted:latest'] }])
  assert.equal(asked.at(-1)!.route, `POST /client-keys/${name}/revoke`)
  await allClosed(database)
  const { rows } = await database.owner.pool.query<{ state: string; label_level: number; task: string }>('select state, label_level, task from model_call where key_id = (select id from client_key where name = $1)', [name])
  assert.deepEqual(rows.map(({ task, state, label_level: level }) => `${task} ${state} P${level}`), Array(4).fill('model-test succeeded P0'))

  const text = await run(['model', 'test', 'ollama/scripted'])
  assert.match(text.stdout, /runs in +zone machine[^]*streaming +works\n[^]*tools +does not work: it called no tool/)
})

test('a cloud model behind a daemon of this machine is said to be one, and is asked nothing', async (t) => {
  const before = server.bytes().length
  const { run, asked } = await stubHouse(t, { server: listed, releaser: {} }, { ports })
  const { exit, json } = await run(['model', 'test', 'ollama/large:cloud', '--json'])
  const told = json<{ state: string; zone: string }>()
  assert.deepEqual([exit, told.ok, told.error.code, told.data.state, told.data.zone], [1, false, 'model.elsewhere', 'not asked', 'cloud'])
  assert.match((await run(['model', 'test', 'ollama/large:cloud'])).stdout, /runs in +zone cloud, although ollama is declared as machine/)
  assert.ok(asked.every(({ route }) => route === 'GET /api/models'))
  assert.equal(server.bytes().length, before)
})

test('the key is revoked even when the gate knows it no longer', async (t) => {
  const { run, asked } = await stubHouse(t, { server: listed, releaser: { 'POST /client-keys': { data: { name: 'gone', key: `ck_${'0'.repeat(64)}` } }, 'POST /client-keys/gone/revoke': { data: {} } } }, { ports })
  const { exit, json } = await run(['model', 'test', 'scripted', '--json'])
  assert.deepEqual([exit, json().error.code], [4, 'session_unknown'])
  assert.equal(asked.at(-1)!.route, 'POST /client-keys/gone/revoke')
})
