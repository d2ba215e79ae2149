import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { ApiError, GoogleGenAI } from '@google/genai'
import { auditOf, closedCallsOf, gateBoot, gateDatabase, openRun, startFrom, startGate } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
})
const near = await startModelServer({ models: [{ name: 'near:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
const database = await gateDatabase(['near', 'far', 'claude', 'google'])
const models = {
  upstreams: [
    { name: 'near', kind: 'ollama', url: near.url, zone: 'machine' },
    { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' },
    { name: 'claude', kind: 'anthropic', url: `${far.url}/v1`, zone: 'cloud' },
    { name: 'google', kind: 'gemini', url: `${far.url}/v1beta`, zone: 'cloud' },
  ],
  routes: { code: [{ upstream: 'claude', model: 'far' }, { upstream: 'google', model: 'far' }] },
  // a count costs nothing, so nobody has to know a price for it
  spending: { allowUnknownPrice: false },
} as const
const [local, cloud] = [await startGate(database, 'gate-local', models), await startGate(database, 'gate-cloud', models)]

const hello = { role: 'user' as const, content: 'Hello' }
const anthropicOf = (gate: { address: string }, apiKey: string) => new Anthropic({ baseURL: gate.address, apiKey, maxRetries: 0 })
const googleOf = (gate: { address: string }, apiKey: string) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gate.address } })
const counts = () => far.requests.filter(({ path }) => /count_?tokens$/i.test(path))
const withStatus = (status: number) => (error: unknown) => (error instanceof Anthropic.APIError || error instanceof ApiError) && error.status === status

/** Asks for a count on either wire. */
const ways = [
  { wire: 'anthropic', named: 'claude/far', count: async (gate: { address: string }, key: string, model: string) => (await anthropicOf(gate, key).messages.countTokens({ model, messages: [hello] })).input_tokens },
  { wire: 'gemini', named: 'google/far', count: async (gate: { address: string }, key: string, model: string) => (await googleOf(gate, key).models.countTokens({ model, contents: 'Hello' })).totalTokens },
] as const

for (const { wire, named, count } of ways) {
  test(`${wire}: a number is the upstream's own, with a row that costs nothing and an event`, async () => {
    const { key, run } = await openRun(database, 'open')
    far.next({ usage: { input: 31, output: 0 } })
    assert.equal(await count(cloud, key, named), 31)
    assert.deepEqual((await closedCallsOf(database, run)).map(({ task, upstream, model, state, input_tokens: input, output_tokens: output, closed }) => [task, `${upstream}/${model}`, state, input, output, closed]), [['count_tokens', named, 'succeeded', 0, 0, true]])
    const { rows } = await database.owner.pool.query<{ cost_eur: string }>('select cost_eur from model_call where run_id = $1', [run])
    assert.equal(Number(rows[0]!.cost_eur), 0)
    assert.deepEqual((await auditOf(database, run)).map(({ kind, state }) => [kind, state]), [['call.closed', 'succeeded']])
  })

  test(`${wire}: who cannot count says 404 and never a number, and is not asked`, async () => {
    const asked = [near.requests.length, counts().length]
    const [near404, far404] = [await openRun(database, 'private'), await openRun(database, 'open')]
    // of another kind, of another wire, of none
    await assert.rejects(count(local, near404.key, 'near/near:latest'), withStatus(404))
    await assert.rejects(count(local, near404.key, 'auto'), withStatus(404))
    for (const model of ['far/far', wire === 'anthropic' ? 'google/far' : 'claude/far', 'nowhere']) await assert.rejects(count(cloud, far404.key, model), withStatus(404), model)
    assert.equal(counts().length, asked[1])
    assert.ok(near.requests.slice(asked[0]).every(({ path }) => path !== '/api/chat'))
    assert.deepEqual([await closedCallsOf(database, near404.run), await closedCallsOf(database, far404.run)], [[], []])
  })

  test(`${wire}: a count goes nowhere that the label may not go, and the refusal is in the ledger`, async () => {
    const asked = counts().length
    for (const [gate, lane, level] of [[cloud, 'open', 2], [cloud, 'private', 0], [local, 'private', 2]] as const) {
      const { key, run } = await openRun(database, lane, level)
      await assert.rejects(count(gate, key, named), withStatus(403))
      assert.deepEqual((await closedCallsOf(database, run)).map(({ state }) => state), ['refused'])
    }
    assert.equal(counts().length, asked)
  })

  test(`${wire}: no tokens are no count, and what an upstream refuses is told as it is`, async () => {
    const { key, run } = await openRun(database, 'open')
    far.next({ quirks: ['no-usage'] })
    await assert.rejects(count(cloud, key, named), withStatus(503))
    far.next({ misbehaves: { kind: 'status', status: 404 } })
    await assert.rejects(count(cloud, key, named), withStatus(404))
    far.next({ misbehaves: { kind: 'status', status: 429 } })
    await assert.rejects(count(cloud, key, named), withStatus(429))
    assert.deepEqual((await closedCallsOf(database, run)).map(({ state, reason }) => [state, reason]), [['failed', 'upstream.malformed'], ['failed', 'upstream.model'], ['failed', 'upstream.limited']])
  })
}

test('only the model that would be asked first counts: the number of another would be wrong', async () => {
  const { key } = await openRun(database, 'open')
  assert.equal(await ways[0].count(cloud, key, 'task:code'), 11)
  await assert.rejects(ways[1].count(cloud, key, 'task:code'), withStatus(404))
})

test('what is counted is what the model would read, without what only an answer needs or a provider keeps', async () => {
  const { key } = await openRun(database, 'open')
  const tools = [{ name: 'look', input_schema: { type: 'object' as const } }]
  const body = { model: 'claude/far', max_tokens: 5, stream: false, metadata: { user_id: 'x' }, system: 'S', messages: [hello], tools, temperature: 1 }
  await fetch(`${cloud.address}/v1/messages/count_tokens?beta=true`, { method: 'POST', headers: { 'x-api-key': key, 'content-type': 'application/json', 'anthropic-beta': 'a' }, body: JSON.stringify(body) })
  assert.deepEqual([counts().at(-1)!.json, counts().at(-1)!.headers['anthropic-beta']], [{ model: 'far', system: 'S', messages: [hello], tools }, 'a'])

  const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }]
  const post = (asked: object) => fetch(`${cloud.address}/v1beta/models/google/far:countTokens`, { method: 'POST', headers: { 'x-goog-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify(asked) })
  assert.deepEqual(await (await post({ contents })).json(), { totalTokens: 11, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 11 }] })
  assert.deepEqual(counts().at(-1)!.json, { contents })
  await post({ generate_content_request: { model: 'models/other', contents, system_instruction: { parts: [{ text: 'S' }] }, labels: { a: 'b' } } })
  assert.deepEqual(counts().at(-1)!.json, { generateContentRequest: { model: 'models/far', contents, systemInstruction: { parts: [{ text: 'S' }] } } })
  const asked = counts().length
  assert.equal((await post({ contents, generateContentRequest: { contents } })).status, 400)
  assert.equal((await post({ contents, tools: [{ googleSearch: {} }] })).status, 400)
  assert.equal(counts().length, asked)
})

test('nothing that is handed on redacted is counted', async (t) => {
  const { boot, remove } = await gateBoot(database, 'gate-local', models)
  const handing = await startFrom({ ...boot, sockets: { ...boot.sockets, gateCloud: cloud.socket } })
  t.after(async () => {
    await handing.stop()
    await remove()
  })
  await database.owner.pool.query(`update lane set redacts = true where name = 'open'`)
  const asked = counts().length
  const { key, run } = await openRun(database, 'open', 2)
  await assert.rejects(anthropicOf(handing, key).messages.countTokens({ model: 'task:code', messages: [hello] }), withStatus(404))
  const headers = { 'x-castellan-declassification': '00000000-0000-4000-8000-000000000000' }
  await assert.rejects(anthropicOf(cloud, key).messages.countTokens({ model: 'claude/far', messages: [hello] }, { headers }), withStatus(404))
  assert.deepEqual([counts().length, await closedCallsOf(database, run)], [asked, []])
})
