import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { closedCallsOf, gateDatabase, openRun, startGate, until } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'
import { vectorOf } from '../../../test/support/model-wire-embed.ts'

// before the database's own hook, so that the gates stop first
after(async () => {
  await Promise.all([near.stop(), far.stop()])
  await Promise.all([server.close(), second.close()])
})
const server = await startModelServer({ models: [{ name: 'talk:latest' }, { name: 'embed-it:latest' }] })
const second = await startModelServer({ models: [{ name: 'embed-it:latest' }, { name: 'embed-other' }] })
const database = await gateDatabase(['ollama', 'second', 'cloud'])
const cloud = { name: 'cloud', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud' } as const
const near = await startGate(database, 'gate-local', {
  upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }, { name: 'second', kind: 'ollama', url: second.url, zone: 'machine' }, cloud],
  routes: {
    default: [{ upstream: 'ollama', model: 'talk' }],
    index: [{ upstream: 'ollama', model: 'embed-it' }, { upstream: 'second', model: 'embed-other' }, { upstream: 'second', model: 'embed-it' }],
    mixed: [{ upstream: 'ollama', model: 'embed-it' }, { upstream: 'second', model: 'embed-other' }],
  },
})
const far = await startGate(database, 'gate-cloud', { upstreams: [cloud] })
const gates = [
  { name: 'near', gate: near, lane: 'private', upstream: 'ollama' },
  { name: 'far', gate: far, lane: 'open', upstream: 'cloud' },
] as const
const clientOf = (gate: { address: string }, apiKey: string) => new OpenAI({ baseURL: `${gate.address}/v1`, apiKey, maxRetries: 0 })
const input = ['Grüße', 'b', 'a longer one']
const embedded = () => server.requests.filter(({ path }) => path === '/api/embed' || path === '/v1/embeddings')

for (const { name, gate, lane, upstream } of gates) {
  test(`${name}: a batch comes back in its order, as numbers and as base64, with the tokens counted and a closed row`, async () => {
    const { key, run } = await openRun(database, lane)
    const floats = await clientOf(gate, key).embeddings.create({ model: `${upstream}/embed-it:latest`, input, encoding_format: 'float' })
    assert.deepEqual(floats.data.map(({ index, embedding }) => [index, embedding]), input.map((text, index) => [index, vectorOf(text)]))
    assert.deepEqual([floats.model, floats.usage], [`${upstream}/embed-it:latest`, { prompt_tokens: 15, total_tokens: 15 }])
    // the client asks for base64 by itself and decodes it
    const decoded = await clientOf(gate, key).embeddings.create({ model: `${upstream}/embed-it:latest`, input })
    assert.deepEqual(decoded.data.map(({ embedding }) => [...embedding]), input.map((text) => vectorOf(text)))
    assert.deepEqual(
      (await closedCallsOf(database, run)).map((row) => [row.task, row.upstream, row.model, row.state, row.input_tokens, row.output_tokens, row.label_level]),
      [1, 2].map(() => ['embed', upstream, 'embed-it:latest', 'succeeded', 15, 0, 1]),
    )
    assert.deepEqual(Object.keys(embedded().at(-1)!.json!).toSorted(), upstream === 'ollama' ? ['input', 'model', 'truncate'] : ['input', 'model'])
  })

  test(`${name}: dimensions are asked for, and vectors of another length are not handed on`, async () => {
    const { key } = await openRun(database, lane)
    const asked = { model: `${upstream}/embed-it:latest`, input: 'a', dimensions: 2 }
    assert.deepEqual([...(await clientOf(gate, key).embeddings.create(asked)).data[0]!.embedding], vectorOf('a', 2))
    server.next({ misbehaves: { kind: 'malformed', after: 0 } })
    await assert.rejects(clientOf(gate, key).embeddings.create({ ...asked, input }), /one vector for each of 3 texts/)
  })
}

test('auto is the first model that makes vectors, not the one of the default route', async () => {
  const { key } = await openRun(database, 'private')
  assert.equal((await clientOf(near, key).embeddings.create({ model: 'auto', input })).model, 'ollama/embed-it:latest')
})

test('a model that answers is not asked for vectors', async () => {
  const { key, run } = await openRun(database, 'private')
  const sent = embedded().length
  await assert.rejects(clientOf(near, key).embeddings.create({ model: 'ollama/talk', input }), (error: InstanceType<typeof OpenAI.APIError>) => {
    assert.deepEqual([error.status, error.code], [404, 'model_not_found'])
    return true
  })
  assert.deepEqual([embedded().length, await closedCallsOf(database, run)], [sent, []])
})

test('a text whose label a cloud may not see reaches none, whatever is asked for', async () => {
  for (const [gate, lane, level] of [[near, 'private', 3], [far, 'private', 1], [far, 'open', 3]] as const) {
    const { key, run } = await openRun(database, lane, level)
    const sent = server.requests.filter(({ path }) => path === '/v1/embeddings').length
    await assert.rejects(clientOf(gate, key).embeddings.create({ model: 'cloud/embed-it:latest', input }), (error: InstanceType<typeof OpenAI.APIError>) => {
      assert.deepEqual([error.status, error.code], [403, 'label_refused'])
      return true
    })
    assert.equal(server.requests.filter(({ path }) => path === '/v1/embeddings').length, sent)
    assert.deepEqual((await closedCallsOf(database, run)).map(({ state }) => state), ['refused'])
  }
})

test('another upstream takes over with the same model only: vectors of two models never stand in for each other', async () => {
  const { key, run } = await openRun(database, 'private')
  server.next({ misbehaves: { kind: 'status', status: 500 } })
  const { data, response } = await clientOf(near, key).embeddings.create({ model: 'task:index', input }).withResponse()
  assert.deepEqual([data.model, response.headers.get('x-castellan-tried')], ['second/embed-it:latest', 'ollama: upstream.failed'])
  assert.deepEqual((await closedCallsOf(database, run)).map(({ upstream, state, reason }) => [upstream, state, reason]), [
    ['ollama', 'failed', 'upstream.failed'], ['second', 'succeeded', 'after ollama: upstream.failed'],
  ])
  server.next({ misbehaves: { kind: 'status', status: 500 } })
  await assert.rejects(clientOf(near, key).embeddings.create({ model: 'task:mixed', input }), /ollama answered 500/)
})

test('a client that leaves ends the call, and the row says so', async () => {
  const { key, run } = await openRun(database, 'private')
  server.next({ misbehaves: { kind: 'stall' } })
  const controller = new AbortController()
  const asked = clientOf(near, key).embeddings.create({ model: 'auto', input }, { signal: controller.signal })
  await server.held()
  const call = embedded().at(-1)!
  controller.abort()
  await assert.rejects(asked, OpenAI.APIUserAbortError)
  assert.equal(await call.over, 'abandoned')
  server.release()
  await until(async () => (await closedCallsOf(database, run))[0]?.state === 'abandoned')
})

test('what cannot be embedded is refused with the field', async () => {
  const { key } = await openRun(database, 'private')
  const sent = embedded().length
  const cases: readonly [object, string][] = [
    [{ input: [1, 2, 3] }, 'input'], [{ input: [[1], [2]] }, 'input'], [{ input: '' }, 'input'], [{ input: [] }, 'input'], [{ input: ['a', ''] }, 'input'], [{ input: Array(2_049).fill('a') }, 'input'],
    [{ input: undefined }, 'input'], [{ model: '' }, 'model'], [{ dimensions: 0 }, 'dimensions'], [{ encoding_format: 'hex' }, 'encoding_format'],
  ]
  for (const [more, param] of cases) {
    const answered = await fetch(`${near.address}/v1/embeddings`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'auto', input, ...more }),
    })
    assert.deepEqual([answered.status, ((await answered.json()) as { error: { param: string } }).error.param], [400, param], JSON.stringify(more).slice(0, 60))
  }
  assert.equal(embedded().length, sent)
})
