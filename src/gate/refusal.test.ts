import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { auditOf, clear, closedCallsOf, gateDatabase, issueKey, openRun, raise, startGate, type OpenedRun } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
})
const near = await startModelServer({ models: [{ name: 'near:latest' }, { name: 'kimi:cloud' }, { name: 'alias:latest', remoteHost: 'https://ollama.com:443' }] })
const far = await startModelServer({ models: [{ name: 'far' }], key: 'sk-far' })
const database = await gateDatabase(['ollama', 'cloud'])
const models = {
  upstreams: [
    { name: 'ollama', kind: 'ollama', url: near.url, zone: 'machine' },
    { name: 'cloud', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud', key: { secret: 'FAR_KEY' } },
  ],
  routes: { analyze: [{ upstream: 'ollama', model: 'auto' }, { upstream: 'cloud', model: 'far' }], frontier: [{ upstream: 'cloud', model: 'far' }] },
} as const
await clear(database.owner, 'client', 'cloud', `${far.url}/v1`)
const local = await startGate(database, 'gate-local', models)
const cloud = await startGate(database, 'gate-cloud', models, { FAR_KEY: 'sk-far' })

const canary = 'canary-4b1f9e'
const ask = (gate: { address: string }, { key }: Pick<OpenedRun, 'key'>, model: string, more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}, headers = {}) =>
  new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: key, maxRetries: 0 }).chat.completions.create({ model, messages: [{ role: 'user', content: canary }], ...more, stream: false }, { headers })

/** Refused with this status and code, and in words. */
const failsWith = (status: number, code: string, words = /./) => (error: unknown) => {
  assert.ok(error instanceof OpenAI.APIError, String(error))
  assert.deepEqual([error.status, error.code], [status, code], error.message)
  assert.match(error.message, words)
  return true
}
const nothingWentOut = () => assert.equal(far.bytes().length, 0)

test('the cloud gate refuses what the label or the lane forbids, and not a byte leaves', async () => {
  const cases = [
    ['open', 2, /P2 internal.*lane open is cleared for up to P1 low/],
    ['open', 3, /P3 local only.*lane open/],
    ['client', 3, /P3 local only.*lane client is cleared for up to P1 low/],
    ['private', 0, /lane private.*private worker/],
    ['private', 2, /P2 internal.*lane private.*private worker/],
    ['private', 3, /P3 local only.*private worker/],
  ] as const
  for (const [lane, level, words] of cases) {
    const run = await openRun(database, lane, level)
    for (const model of ['far', 'cloud/far', 'auto', 'task:analyze', 'task:frontier', 'no-such-model']) {
      await assert.rejects(ask(cloud, run, model), failsWith(403, 'label_refused', words), `${lane} P${level} ${model}`)
    }
    const rows = await closedCallsOf(database, run.run)
    assert.equal(rows.length, 6)
    assert.deepEqual(rows.map((row) => [row.gate, row.state, row.upstream, row.closed]), rows.map(() => ['cloud', 'refused', null, true]))
    for (const row of rows) assert.match(row.reason ?? '', /set: none$/)
    assert.deepEqual(await auditOf(database, run.run), rows.map(() => ({ kind: 'call.refused', actor: 'castellan_gate_cloud', state: null })))
    const client = new OpenAI({ baseURL: `${cloud.address}/v1`, apiKey: run.key, maxRetries: 0 })
    assert.deepEqual((await client.models.list()).data, [])
  }
  nothingWentOut()
})

test('the local gate hands nothing to the cloud, by name, by route, or because the near model is down', async () => {
  const run = await openRun(database, 'private', 2)
  await assert.rejects(ask(local, run, 'cloud/far'), failsWith(403, 'label_refused', /P2 internal.*may not reach cloud/))
  await assert.rejects(ask(local, run, 'task:frontier'), failsWith(403, 'label_refused'))
  await near.down()
  await assert.rejects(ask(local, run, 'task:analyze'), failsWith(503, 'upstream.unreachable', /ollama does not answer|ollama cannot be reached/))
  await assert.rejects(ask(local, run, 'auto'), failsWith(503, 'upstream.unreachable'))
  await near.up()
  nothingWentOut()
})

test('a cloud model behind the near daemon is refused at the local gate, also under another name', async () => {
  const run = await openRun(database, 'private', 3)
  const before = near.calls().length
  for (const model of ['kimi:cloud', 'ollama/kimi:cloud', 'alias', 'ollama/alias:latest']) {
    await assert.rejects(ask(local, run, model), failsWith(403, 'label_refused', /runs in the cloud/))
  }
  assert.equal(near.calls().length, before)
  assert.ok(!near.bytes().includes(canary))
})

test('a model that may be reached nowhere is unknown, and a cloud model is the other gate’s', async () => {
  const run = await openRun(database, 'open', 1)
  await assert.rejects(ask(local, run, 'no-such-model'), failsWith(404, 'model_not_found', /ollama/))
  await assert.rejects(ask(local, run, 'task:nothing'), failsWith(404, 'model_not_found', /analyze, frontier/))
  await assert.rejects(ask(local, run, 'cloud/far'), failsWith(404, 'model_not_found', /gate cloud/))
  nothingWentOut()
})

test('a key that is unknown, made up, or missing opens neither gate', async () => {
  const zeros = `cst_${'0'.repeat(64)}`
  for (const gate of [local, cloud]) {
    for (const key of [zeros, 'sk-something', 'cst_', `${zeros}0`]) await assert.rejects(ask(gate, { key }, 'auto'), failsWith(401, 'session_unknown'))
    assert.equal((await fetch(`${gate.address}/v1/models`)).status, 401)
  }
  nothingWentOut()
})

test('a key dies with its run, with its fence, and with its hour', async () => {
  const done = await openRun(database, 'open')
  await database.as('castellan_server').pool.query('select run_cancel($1)', [done.run])
  const old = await openRun(database, 'open')
  await database.owner.pool.query(`update session set expires_at = clock_timestamp() where run_id = $1`, [old.run])
  const taken = await openRun(database, 'open')
  const { rows } = await database.as('castellan_worker_open').pool.query<{ fence: string }>(`select run_claim($1, 'other', 1000) ->> 'fence' as fence`, [taken.run])
  for (const run of [done, old, taken]) {
    for (const gate of [local, cloud]) await assert.rejects(ask(gate, run, 'auto'), failsWith(401, 'session_unknown'))
    assert.deepEqual(await closedCallsOf(database, run.run), [])
  }
  nothingWentOut()
  await ask(local, await issueKey(database, taken.run, rows[0]!.fence), 'auto')
})

test('a caller can name a higher label for one call, and never a lower one', async () => {
  const open = await openRun(database, 'open', 1)
  await assert.rejects(ask(cloud, open, 'cloud/far', {}, { 'x-castellan-label': 'P2' }), failsWith(403, 'label_refused', /P2 internal/))
  const secret = await openRun(database, 'open', 3)
  await assert.rejects(ask(cloud, secret, 'cloud/far', {}, { 'x-castellan-label': 'P0' }), failsWith(403, 'label_refused', /P3 local only/))
  await assert.rejects(ask(cloud, open, 'cloud/far', {}, { 'x-castellan-label': 'secret' }), failsWith(400, 'label.level'))
  assert.deepEqual((await closedCallsOf(database, open.run)).map((row) => row.label_level), [2])
  nothingWentOut()
})

test('an upstream whose key is not there is not asked at all', async () => {
  const keyless = await startGate(database, 'gate-cloud', models)
  await assert.rejects(ask(keyless, await openRun(database, 'open'), 'cloud/far'), failsWith(503, 'upstream.no_key', /FAR_KEY/))
  await keyless.stop()
  nothingWentOut()
})

// the only tests that let something out come last
test('what may leave, leaves with the key of the gate and without that of the run', async () => {
  const run = await openRun(database, 'open', 1)
  const whole = await ask(cloud, run, 'task:analyze', { user: 'someone', store: true, metadata: { a: 'b' } })
  assert.equal(whole.model, 'far')
  assert.ok(far.bytes().includes(canary))
  const { headers, json } = far.calls().at(-1)!
  assert.equal(headers.authorization, 'Bearer sk-far')
  assert.ok(!far.bytes().includes(run.key.slice(4)))
  assert.deepEqual(Object.keys(json!).sort(), ['messages', 'model', 'stream'])
  const [row] = await closedCallsOf(database, run.run)
  assert.deepEqual([row?.gate, row?.upstream, row?.zone, row?.state], ['cloud', 'cloud', 'cloud', 'succeeded'])
})

test('a label that rises in the middle of a run shuts the cloud gate for the next call', async () => {
  const run = await openRun(database, 'open', 1)
  await ask(cloud, run, 'cloud/far')
  const sent = far.bytes().length
  await raise(database.owner, run.run, 2)
  await assert.rejects(ask(cloud, run, 'cloud/far'), failsWith(403, 'label_refused', /P2 internal/))
  assert.equal(far.bytes().length, sent)
  assert.deepEqual((await closedCallsOf(database, run.run)).map((row) => [row.state, row.label_level]), [['succeeded', 1], ['refused', 2]])
})

test('a lane that loses its clearance while a call is open: the call is closed, the next is refused', async () => {
  const run = await openRun(database, 'client', 2)
  far.next({ text: ['a', 'b'], misbehaves: { kind: 'pause', after: 1 } })
  const asked = ask(cloud, run, 'cloud/far')
  await far.held()
  await database.as('castellan_releaser').pool.query(`select clearance_revoke('client', 'cloud')`)
  far.release()
  await asked
  await assert.rejects(ask(cloud, run, 'cloud/far'), failsWith(403, 'label_refused', /lane client is cleared for up to P1 low/))
  assert.deepEqual((await closedCallsOf(database, run.run)).map((row) => row.state), ['succeeded', 'refused'])
})
