import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import OpenAI from 'openai'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../test/support/gate.ts'
import { startModelServer, type Misbehaviour, type ScriptedAnswer } from '../../test/support/model-server.ts'

after(async () => {
  await gate.stop()
  await Promise.all([first.close(), second.close()])
})
const first = await startModelServer({ models: [{ name: 'one:latest' }] })
const second = await startModelServer({ models: [{ name: 'two' }] })
const database = await gateDatabase(['first', 'second'])
const timeouts = { connect: 500, firstByte: 200, idle: 200 }
const declared = [
  { name: 'first', kind: 'ollama', url: first.url, zone: 'machine', timeouts },
  { name: 'second', kind: 'openai', url: `${second.url}/v1`, zone: 'machine', timeouts },
] as const
const gate = await startGate(database, 'gate-local', {
  upstreams: declared,
  routes: { default: [{ upstream: 'first', model: 'auto' }, { upstream: 'second', model: 'two' }] },
})

beforeEach(() => gate.forget())

const clientOf = (key: string) => new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: key, maxRetries: 0 })
const body = { model: 'auto', messages: [{ role: 'user' as const, content: 'Hello' }] }
const usage = { input: 9, output: 2 }
const states = async (run: string) => (await closedCallsOf(database, run)).map((row) => [row.upstream, row.state, row.reason, row.input_tokens, row.output_tokens])

const before: readonly [Misbehaviour, string, number][] = [
  [{ kind: 'status', status: 500 }, 'upstream.failed', 0],
  [{ kind: 'status', status: 429, retryAfter: 9 }, 'upstream.limited', 0],
  [{ kind: 'die', after: 0 }, 'upstream.unreachable', 0],
  [{ kind: 'malformed', after: 0 }, 'upstream.malformed', 0],
  [{ kind: 'stall' }, 'upstream.first_byte', 6],
]
for (const [misbehaves, code, read] of before) {
  for (const stream of [false, true]) {
    test(`${JSON.stringify(misbehaves)} before the first word goes on to the next candidate, ${stream ? 'streamed' : 'whole'}`, async () => {
      const { key, run } = await openRun(database, 'private')
      first.next({ text: ['never'], misbehaves })
      second.next({ text: ['hello'], usage })
      const text = stream
        ? (await clientOf(key).chat.completions.stream(body).finalChatCompletion()).choices[0]?.message.content
        : (await clientOf(key).chat.completions.create(body)).choices[0]?.message.content
      first.release()
      assert.equal(text, 'hello')
      assert.deepEqual(await states(run), [['first', 'failed', code, read, 0], ['second', 'succeeded', `after first: ${code}`, 9, 2]])
    })
  }
}

test('what has begun is not finished by another: a stream that dies says so', async () => {
  const { key, run } = await openRun(database, 'private')
  const asked = second.calls().length
  first.next({ text: ['half an '], misbehaves: { kind: 'die', after: 1 } })
  const pieces: string[] = []
  await assert.rejects(async () => {
    for await (const chunk of await clientOf(key).chat.completions.create({ ...body, stream: true })) pieces.push(chunk.choices[0]?.delta.content ?? '')
  }, /first cannot be reached/)
  assert.deepEqual(pieces, ['', 'half an '])
  assert.equal(second.calls().length, asked)
  assert.deepEqual(await states(run), [['first', 'failed', 'upstream.unreachable', 6, 2]])
})

test('neither is a whole answer that dies in the middle', async () => {
  const { key, run } = await openRun(database, 'private')
  const asked = second.calls().length
  first.next({ text: ['half an '], misbehaves: { kind: 'cut', after: 1 } })
  await assert.rejects(clientOf(key).chat.completions.create(body), (error) => error instanceof OpenAI.APIError && error.status === 503 && error.code === 'upstream.died')
  assert.equal(second.calls().length, asked)
  assert.deepEqual(await states(run), [['first', 'failed', 'upstream.died', 6, 2]])
})

test('a request that is wrong is not tried elsewhere', async () => {
  const { key, run } = await openRun(database, 'private')
  const asked = second.calls().length
  first.next({ misbehaves: { kind: 'status', status: 400, message: 'the input length exceeds the context length' } })
  await assert.rejects(clientOf(key).chat.completions.create(body), (error) => error instanceof OpenAI.BadRequestError && /exceeds the context length/.test(error.message))
  assert.equal(second.calls().length, asked)
  assert.deepEqual(await states(run), [['first', 'failed', 'upstream.rejected', 0, 0]])
})

const limited = (retryAfter: number): ScriptedAnswer => ({ misbehaves: { kind: 'status', status: 429, retryAfter } })

test('when all are limited the client is told to wait for the first that is free', async () => {
  const { key } = await openRun(database, 'private')
  first.next(limited(30))
  second.next(limited(12))
  await assert.rejects(clientOf(key).chat.completions.create(body), (error) => error instanceof OpenAI.RateLimitError && error.headers?.get('retry-after') === '12')
})

test('when none answers, all are named', async () => {
  const { key, run } = await openRun(database, 'private')
  first.next({ misbehaves: { kind: 'status', status: 500 } })
  second.next(limited(1))
  await assert.rejects(clientOf(key).chat.completions.create(body), (error) => error instanceof OpenAI.APIError && error.status === 503 && /first\/one:latest.*second\/two/.test(error.message))
  assert.deepEqual((await states(run)).map(([name, state]) => [name, state]), [['first', 'failed'], ['second', 'failed']])
})

test('an upstream that is down falls out, and comes back by itself', async () => {
  const { key } = await openRun(database, 'private')
  await first.down()
  assert.equal((await clientOf(key).chat.completions.create(body)).model, 'two')
  await first.up()
  assert.equal((await clientOf(key).chat.completions.create(body)).model, 'first/one:latest')
})

test('an answer without usage is counted by its length, and the client is told the same numbers', async () => {
  const { key, run } = await openRun(database, 'private')
  first.next({ text: ['twelve bytes'], quirks: ['no-usage'] })
  const { usage: told } = await clientOf(key).chat.completions.create(body)
  assert.deepEqual(told, { prompt_tokens: 6, completion_tokens: 3, total_tokens: 9 })
  assert.deepEqual(await states(run), [['first', 'succeeded', null, 6, 3]])
})

test('a model that was installed a moment ago is found', async () => {
  const { key } = await openRun(database, 'private')
  await clientOf(key).chat.completions.create(body)
  first.install([{ name: 'one:latest' }, { name: 'new:7b' }])
  await until404IsOver(key)
})

/** Lists are believed for a second after they were read. */
async function until404IsOver(key: string): Promise<void> {
  for (const deadline = performance.now() + 10_000; ; ) {
    try {
      assert.equal((await clientOf(key).chat.completions.create({ ...body, model: 'first/new:7b' })).model, 'first/new:7b')
      return
    } catch (error) {
      assert.ok(error instanceof OpenAI.NotFoundError && performance.now() < deadline, String(error))
    }
  }
}

test('a changed house changes the routes for the next call, and lets the one that is being answered end', async () => {
  const { key } = await openRun(database, 'private')
  first.next({ text: ['a', 'b'], misbehaves: { kind: 'pause', after: 1 } })
  const asked = clientOf(key).chat.completions.create(body)
  await first.held()
  gate.reload({ upstreams: declared, routes: { default: [{ upstream: 'second', model: 'two' }] } })
  assert.equal((await clientOf(key).chat.completions.create(body)).model, 'two')
  first.release()
  assert.equal((await asked).choices[0]?.message.content, 'ab')
})
