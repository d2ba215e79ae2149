import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import OpenAI from 'openai'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../test/support/gate.ts'
import { startModelServer, type ScriptedAnswer } from '../../test/support/model-server.ts'
import type { RoutingSettings } from '../house/index.ts'

const cloud = await startModelServer({ models: [{ name: 'large' }] })
const near = await startModelServer({ models: [{ name: 'small:latest' }] })
after(() => Promise.all([cloud.close(), near.close()]))
const database = await gateDatabase(['cloud', 'near'])
/** One gate with both, so that a call can go from one to the other; both are on this machine. */
const upstreams = [
  { name: 'cloud', kind: 'openai', url: `${cloud.url}/v1`, zone: 'machine' },
  { name: 'near', kind: 'ollama', url: near.url, zone: 'machine' },
] as const
const route = [{ upstream: 'cloud', model: 'large' }, { upstream: 'near', model: 'small:latest' }]
const limit = { requests: {}, tokens: {}, waitMs: 5_000, whenFull: 'wait' } as const
const failing: ScriptedAnswer = { misbehaves: { kind: 'status', status: 500 } }

async function withGate(routing: Partial<RoutingSettings>, work: (ask: (over?: object, options?: OpenAI.RequestOptions) => Promise<{ text: string | null | undefined; headers: Headers }>, run: string) => Promise<void>): Promise<void> {
  const gate = await startGate(database, 'gate-local', { upstreams, routes: { default: route }, routing })
  try {
    const { key, run } = await openRun(database, 'private')
    const client = new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: key, maxRetries: 0 })
    await work(async (over = {}, options = {}) => {
      const { data, response } = await client.chat.completions.create({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }], ...over }, options).withResponse()
      if ('choices' in data) return { text: (data as OpenAI.ChatCompletion).choices[0]!.message.content, headers: response.headers }
      let text = ''
      for await (const chunk of data as unknown as AsyncIterable<OpenAI.ChatCompletionChunk>) text += chunk.choices[0]?.delta.content ?? ''
      return { text, headers: response.headers }
    }, run)
  } finally {
    await gate.stop()
  }
}
/** What was asked before counts against the limits of a gate that starts. */
beforeEach(() => database.owner.pool.query('truncate model_call'))

const rowsOf = async (run: string) => (await closedCallsOf(database, run)).map(({ upstream, state, reason }) => [upstream, state, reason])

test('a model that failed for a moment answers the second time, and the ledger has both', async () => {
  await withGate({ retry: { tries: 2, longestWaitMs: 1_000 } }, async (ask, run) => {
    cloud.next(failing, { text: ['now'] })
    const { text, headers } = await ask()
    assert.equal(text, 'now')
    assert.equal(headers.get('x-castellan-upstream'), 'cloud')
    assert.equal(headers.get('x-castellan-tried'), 'cloud: upstream.failed')
    assert.deepEqual(await rowsOf(run), [['cloud', 'failed', 'upstream.failed'], ['cloud', 'succeeded', 'after cloud: upstream.failed']])
  })
})

test('a model that keeps failing is left alone, and calls go on at once to the next', async () => {
  await withGate({ breaker: { failures: 2, restMs: 60_000 } }, async (ask, run) => {
    cloud.next(failing, failing)
    for (let i = 0; i < 4; i += 1) assert.equal((await ask()).headers.get('x-castellan-upstream'), 'near')
    const after = ['near', 'succeeded', 'after cloud: upstream.failed']
    const passed = ['near', 'succeeded', 'after cloud: upstream.resting']
    assert.deepEqual(await rowsOf(run), [['cloud', 'failed', 'upstream.failed'], after, ['cloud', 'failed', 'upstream.failed'], after, passed, passed])
    await assert.rejects(ask({ model: 'cloud/large' }), (error) => error instanceof OpenAI.APIError && error.status === 503 && error.code === 'upstream.resting' && Number(error.headers?.get('retry-after')) > 50)
    assert.deepEqual((await rowsOf(run)).at(-1), [null, 'refused', 'upstream.resting; set: cloud, near'])
  })
})

test('a call above the limit goes on to the next model, or is told when there is room', async () => {
  await withGate({ limits: { cloud: { ...limit, requests: { hour: 1 } } } }, async (ask, run) => {
    assert.equal((await ask()).headers.get('x-castellan-upstream'), 'cloud')
    assert.equal((await ask()).headers.get('x-castellan-upstream'), 'near')
    await assert.rejects(ask({ model: 'cloud/large' }), (error) => error instanceof OpenAI.RateLimitError && /at most 1 requests a hour/.test(error.message) && Number(error.headers?.get('retry-after')) > 3_500)
    assert.deepEqual(await rowsOf(run), [['cloud', 'succeeded', null], ['near', 'succeeded', 'after cloud: limit_reached'], [null, 'refused', 'limit_reached; set: cloud, near']])
  })
})

test('what was asked before a start counts after it', async () => {
  const limits = { cloud: { ...limit, requests: { day: 3 } } }
  await withGate({ limits }, async (ask) => void (await ask(), await ask()))
  await withGate({ limits }, async (ask) => {
    assert.equal((await ask()).headers.get('x-castellan-upstream'), 'cloud')
    assert.equal((await ask()).headers.get('x-castellan-upstream'), 'near')
  })
})

test('so many at a time: the others wait until one has ended, also when its client left in the middle', async () => {
  await withGate({ limits: { cloud: { ...limit, concurrent: 1 } } }, async (ask) => {
    cloud.next({ text: ['a', 'b'], misbehaves: { kind: 'pause', after: 1 } })
    const leaving = new AbortController()
    const first = assert.rejects(ask({ model: 'cloud/large', stream: true }, { signal: leaving.signal }))
    await cloud.held()
    const second = ask({ model: 'cloud/large' })
    const asked = cloud.calls().length
    leaving.abort()
    await first
    cloud.release()
    assert.equal((await second).text, 'Good morning.')
    assert.equal(cloud.calls().length, asked + 1)
  })
})

test('the same call is answered from memory, for nothing, whole and streamed; another is not', async () => {
  await withGate({ cache: { keepMs: 60_000, bytes: 1_000_000 } }, async (ask, run) => {
    for (const stream of [false, true]) {
      cloud.next({ text: ['once ', 'only'], usage: { input: 5, output: 2 } })
      const asked = cloud.calls().length
      const first = await ask({ stream })
      const second = await ask({ stream })
      assert.deepEqual([first.text, second.text], ['once only', 'once only'])
      assert.deepEqual([first, second].map(({ headers }) => headers.get('x-castellan-cache')), [null, 'hit'])
      assert.equal(cloud.calls().length, asked + 1)
    }
    const asked = cloud.calls().length
    await ask({ temperature: 0.1 })
    await ask({}, { headers: { 'cache-control': 'no-cache' } })
    await ask({}, { headers: { 'cache-control': 'no-store' } })
    await ask({}, { headers: { 'x-castellan-label': 'P3' } })
    assert.equal(cloud.calls().length, asked + 4)
    const rows = await closedCallsOf(database, run)
    assert.deepEqual(rows.map(({ reason, input_tokens }) => [reason, input_tokens]).slice(0, 4), [[null, 5], ['from_cache', 0], [null, 5], ['from_cache', 0]])
  })
})

test('an answer that came late, broke off or was left is not kept', async () => {
  await withGate({ cache: { keepMs: 60_000, bytes: 1_000_000 } }, async (ask) => {
    cloud.next({ text: ['half'], misbehaves: { kind: 'die', after: 1 } })
    await assert.rejects(async () => ask({ stream: true }))
    cloud.next(failing)
    near.next({ text: ['from near'] })
    assert.equal((await ask({ stream: true })).text, 'from near')
    assert.equal((await ask({ stream: true })).text, 'Good morning.')
  })
})

test('who may not have asked is not told from memory', async () => {
  await withGate({ cache: { keepMs: 60_000, bytes: 1_000_000 } }, async (ask, run) => {
    await ask()
    await database.as('castellan_worker_private').pool.query(`select run_claim($1, 'other', 1000)`, [run])
    await assert.rejects(ask(), OpenAI.AuthenticationError)
  })
})
