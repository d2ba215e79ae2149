import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import type { SpendingSettings } from '../house/index.ts'
import { allClosed, callsOf, gateDatabase, openRun, startGate, until, type TestGate } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'

after(async () => {
  await far.close()
  await near.close()
})
const far = await startModelServer({ models: [{ name: 'far' }, { name: 'free' }] })
const near = await startModelServer({ models: [{ name: 'near:latest' }] })

const upstreams = [
  { name: 'cloud', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' },
  { name: 'other', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' },
  { name: 'ollama', kind: 'ollama', url: near.url, zone: 'machine' },
] as const
/** EUR 1 for a million tokens of output, at EUR 1 for a dollar: 1,000 tokens are a tenth of a cent. */
const prices = { 'cloud/far': { input: 0, output: 1, outputLimit: 10_000 }, 'other/far': { input: 0, output: 1, outputLimit: 10_000 }, 'cloud/free': { input: 0, output: 0 } }

async function gates(budgets: SpendingSettings['budgets'], more: Partial<SpendingSettings> = {}) {
  const database = await gateDatabase(['cloud', 'other', 'ollama'])
  const spending = { budgets, prices, microEurPerUsd: 1_000_000, allowUnknownPrice: false, ...more }
  const routes = { both: [{ upstream: 'cloud', model: 'far' }, { upstream: 'other', model: 'far' }], freeLast: [{ upstream: 'cloud', model: 'far' }, { upstream: 'cloud', model: 'free' }] }
  const start = (process: 'gate-local' | 'gate-cloud') => startGate(database, process, { upstreams, routes, spending })
  const { key, run } = await openRun(database, 'open')
  const costs = async () => (await allClosed(database), await database.owner.pool.query<{ model: string | null; state: string; reason: string | null; eur: number | null; usd: number | null }>(
    'select model, state, reason, cost_eur as eur, cost_usd as usd from model_call where run_id = $1 order by opened_at, id', [run])).rows
  return { database, start, key, run, costs }
}

const ask = (gate: TestGate, key: string, model: string, more: object = {}) =>
  fetch(`${gate.address}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], ...more }),
  })
const errorOf = async (response: Response) => ((await response.json()) as { error: { code: string; message: string; details: Record<string, unknown> } }).error

test('a call costs what its upstream reported, in dollars and at the rate of the day', async () => {
  const { start, key, costs } = await gates([{ per: 'day', eur: 1 }], { microEurPerUsd: 500_000 })
  const gate = await start('gate-cloud')
  far.next({ text: ['so'], usage: { input: 7, output: 40 } })
  assert.equal((await ask(gate, key, 'cloud/far')).status, 200)
  assert.deepEqual((await costs()).map(({ state, eur, usd }) => [state, eur, usd]), [['succeeded', 0.00002, 0.00004]])
  await gate.stop()
})

test('over the ceiling a call is refused before it is made, with what is spent, until when, and that local models go on', async () => {
  const { start, key, costs } = await gates([{ per: 'month', eur: 0.005, lane: 'open' }])
  const gate = await start('gate-cloud')
  const before = far.calls().length
  const refused = await ask(gate, key, 'cloud/far', { max_tokens: 6_000 })
  const error = await errorOf(refused)
  assert.deepEqual([refused.status, error.code, error.details['limit_eur'], far.calls().length], [403, 'budget_exceeded', 0.005, before])
  assert.match(error.message, /budget of EUR 0\.0050 a month for lane open .*EUR 0\.00 are spent.*can cost EUR 0\.0060.*begins anew on \d{4}-\d\d-01 00:00 \(UTC\).*own machines cost nothing and go on/)
  assert.deepEqual((await costs()).map(({ state, reason, eur }) => [state, reason, eur]), [['refused', 'budget_exceeded; set: cloud, other', 0]])
  await gate.stop()
})

test('a model of one’s own and a model that is free are never held back', async () => {
  const { start, key, costs } = await gates([{ per: 'day', eur: 0 }])
  const [cloud, local] = [await start('gate-cloud'), await start('gate-local')]
  assert.equal((await ask(cloud, key, 'cloud/far')).status, 403)
  assert.equal((await ask(cloud, key, 'cloud/free')).status, 200)
  assert.equal((await ask(local, key, 'ollama/near')).status, 200)
  assert.deepEqual((await costs()).map(({ state, eur }) => [state, eur]), [['refused', 0], ['succeeded', 0], ['succeeded', 0]])
  await Promise.all([cloud.stop(), local.stop()])
})

test('a budget of one client key holds that client back, and neither another one nor a run', async () => {
  const { database, start, key } = await gates([{ per: 'day', eur: 0.005, key: 'notes' }])
  const keys = ['notes', 'editor'].map((name) => ({ name, value: `ck_${randomBytes(32).toString('hex')}` }))
  for (const { name, value } of keys) {
    await database.as('castellan_releaser').pool.query(`select client_key_make($1, $2, $3, 'cloud', 'open', 1::smallint, '{}', null)`, [randomUUID(), name, createHash('sha256').update(value).digest()])
  }
  const gate = await start('gate-cloud')
  const refused = await ask(gate, keys[0]!.value, 'cloud/far', { max_tokens: 6_000 })
  assert.deepEqual([refused.status, (await errorOf(refused)).code], [403, 'budget_exceeded'])
  for (const other of [keys[1]!.value, key]) assert.equal((await ask(gate, other, 'cloud/far', { max_tokens: 6_000 })).status, 200)
  assert.equal((await ask(gate, keys[0]!.value, 'cloud/far', { max_tokens: 1_000 })).status, 200)
  await gate.stop()
})

test('a route goes on to what there is room for, and the ledger says why', async () => {
  const { start, key, costs } = await gates([{ per: 'day', eur: 0, provider: 'cloud' }])
  const gate = await start('gate-cloud')
  assert.equal((await ask(gate, key, 'task:both', { max_tokens: 100 })).status, 200)
  assert.equal((await ask(gate, key, 'task:freeLast', { max_tokens: 100 })).status, 200)
  assert.deepEqual((await costs()).map(({ model, reason }) => [model, reason]), [['far', 'after cloud: budget_exceeded'], ['free', 'after cloud: budget_exceeded']])
  await gate.stop()
})

test('a price that nobody knows is refused, unless that is allowed, and never where it costs nothing', async () => {
  const strict = await gates([], { prices: {} })
  const [cloud, local] = [await strict.start('gate-cloud'), await strict.start('gate-local')]
  const refused = await ask(cloud, strict.key, 'cloud/far')
  const error = await errorOf(refused)
  assert.deepEqual([refused.status, error.code], [403, 'price_unknown'])
  assert.match(error.message, /cloud\/far costs .*table of 20.*models\.prices.*allow_unknown_price/)
  assert.equal((await ask(local, strict.key, 'ollama/near')).status, 200)
  await Promise.all([cloud.stop(), local.stop()])
  const allowed = await gates([{ per: 'day', eur: 0.01 }], { prices: {}, allowUnknownPrice: true })
  const gate = await allowed.start('gate-cloud')
  assert.equal((await ask(gate, allowed.key, 'cloud/far')).status, 200)
  assert.deepEqual((await allowed.costs()).map(({ state, eur }) => [state, eur]), [['succeeded', null]])
  await gate.stop()
})

test('who names no limit gets an answer as long as there is money for', async () => {
  const { start, key } = await gates([{ per: 'day', eur: 0.005 }])
  const gate = await start('gate-cloud')
  assert.equal((await ask(gate, key, 'cloud/far')).status, 200)
  assert.equal(far.calls().at(-1)!.json!['max_tokens'], 5_000)
  await gate.stop()
})

test('a stream that its client left is billed: what was read, and what had come out', async () => {
  const { database, start, key, run } = await gates([{ per: 'day', eur: 1 }], { prices: { 'cloud/far': { input: 1, output: 1 } } })
  const gate = await start('gate-cloud')
  far.next({ text: ['x'.repeat(400), 'y'], misbehaves: { kind: 'pause', after: 1 } })
  const controller = new AbortController()
  const response = await fetch(`${gate.address}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, signal: controller.signal,
    body: JSON.stringify({ model: 'cloud/far', stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  await response.body!.getReader().read()
  controller.abort()
  await until(async () => (await callsOf(database, run)).some((row) => row.closed), 'the call was not closed')
  const { rows } = await database.owner.pool.query<{ state: string; input: number; output: number; eur: number }>(
    'select state, input_tokens as input, output_tokens as output, cost_eur as eur from model_call where run_id = $1', [run])
  const [row] = rows
  assert.equal(row!.state, 'abandoned')
  assert.ok(row!.output >= 100)
  assert.equal(row!.eur, (row!.input + row!.output) / 1e6)
  await gate.stop()
})
