import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { ChatChunk, ChatRequest } from './chat.ts'
import { openaiEvents } from './openai-events.ts'
import { createOpenai } from './openai.ts'
import { passEvents, wasPassed } from './pass.ts'
import { collect, isFault, textOf } from './upstream.contract.ts'

let say: (response: ServerResponse) => void = () => {}
let asked: { body: string; headers: NodeJS.Dict<string | string[]> } = { body: '', headers: {} }
let connections = 0
const server = createServer(async (request, response) => {
  const body: Buffer[] = []
  for await (const bytes of request) body.push(bytes as Buffer)
  asked = { body: Buffer.concat(body).toString(), headers: request.headers }
  say(response)
})
server.on('connection', () => (connections += 1))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const upstream = createOpenai({ name: 'it', kind: 'openai', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, zone: 'mesh' }, 'sk-it')
after(async () => {
  await upstream.close()
  server.close()
})

const signal = new AbortController().signal
const native = (body: object, stream: boolean): ChatRequest => ({
  model: 'theirs',
  messages: [],
  native: { wire: 'openai-chat', body: body as Record<string, unknown>, headers: { 'x-let-through': '1', authorization: 'Bearer of-the-client' }, stream },
})
const passed = (chunks: readonly ChatChunk[]) => Buffer.concat(chunks.map((chunk) => (chunk.kind === 'native' ? chunk.bytes : Buffer.alloc(0)))).toString()
const understood = (chunks: readonly ChatChunk[]) => chunks.filter((chunk) => chunk.kind !== 'native')

const usage = 'data: {"id":"c","choices":[],"usage":{"prompt_tokens":21,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":16}}}\n\n'
const events = [
  ': OPENROUTER PROCESSING\n\n',
  'data: {"id":"c","odd":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"Grüße "},"finish_reason":null}]}\n\n',
  'event: ping\r\ndata: {"choices":[]}\r\n\r\n',
  'data: {"id":"c","choices":[{"index":0,"delta":{"content":"🦊","tool_calls":[]}}],"usage":null}\n\n',
  'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
]
const whole = [...events, usage, 'data: [DONE]\n\n'].join('')
const known: ChatChunk[] = [
  { kind: 'text', text: 'Grüße ' },
  { kind: 'text', text: '🦊' },
  { kind: 'finish', reason: 'stop' },
  { kind: 'usage', inputTokens: 21, outputTokens: 4, cachedTokens: 16 },
]

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('wherever the upstream cuts its bytes, inside letters and JSON too, they come as they were and are understood', async () => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async (size) => {
    const chunks = await collect(passEvents('it', inPieces(whole, size), openaiEvents('it')))
    assert.equal(chunks[0]!.kind, 'native')
    assert.equal(passed(chunks), whole)
    assert.deepEqual(understood(chunks), known)
    const without = await collect(passEvents('it', inPieces(whole, size), openaiEvents('it', { hidesUsage: true })))
    assert.equal(passed(without), whole.replace(usage, ''))
    assert.deepEqual(understood(without), known)
  }), { numRuns: 60 })
})

test('each native chunk ends with an event, so that anything may follow it', async () => {
  for await (const chunk of passEvents('it', inPieces(whole, 7), openaiEvents('it'))) {
    if (chunk.kind === 'native') assert.match(Buffer.from(chunk.bytes).toString(), /\n\r?\n$/)
  }
})

test('a client that wants the usage sees it, one that does not never does; the upstream is always asked for it', async () => {
  say = (response) => response.writeHead(200).end(whole)
  for (const [given, seen] of [[undefined, false], [null, false], [{ include_usage: false }, false], [{ include_usage: true, include_obfuscation: false }, true]] as const) {
    const chunks = await collect(upstream.chat(native({ model: 'ours', stream: true, ...(given === undefined ? {} : { stream_options: given }), messages: [] }, true), signal))
    assert.equal(passed(chunks), seen ? whole : whole.replace(usage, ''))
    assert.deepEqual(understood(chunks), known)
    assert.deepEqual((JSON.parse(asked.body) as Record<string, unknown>)['stream_options'], { ...given, include_usage: true })
  }
})

test('usage beside a choice is part of that choice’s event, and shown', async () => {
  const said = 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
  say = (response) => response.writeHead(200).end(said)
  const chunks = await collect(upstream.chat(native({ stream: true }, true), signal))
  assert.equal(passed(chunks), said)
  assert.deepEqual(understood(chunks).at(-1), { kind: 'usage', inputTokens: 1, outputTokens: 2 })
})

test('what goes out has the client’s order, the upstream’s model, our key, and nothing by which a provider would store, tag, search or ask others', async () => {
  say = (response) => response.writeHead(200).end(whole)
  const body = {
    messages: [{ role: 'user', content: 'x', odd: 1 }], user: 'u', metadata: { a: 1 }, store: true, plugins: [{ id: 'web' }], models: ['other/model'], search_parameters: {},
    prompt_cache_key: 'k', service_tier: 'priority', temperature: 0, model: 'ours', stream: true, tools: [],
  }
  await collect(upstream.chat(native(body, true), signal))
  assert.equal(asked.body, '{"messages":[{"role":"user","content":"x","odd":1}],"temperature":0,"model":"theirs","stream":true,"tools":[],"stream_options":{"include_usage":true}}')
  assert.deepEqual([asked.headers['authorization'], asked.headers['x-let-through']], ['Bearer sk-it', '1'])
})

test('a whole answer is asked for as one and comes as it was', async () => {
  const said = ' {"id":"c","odd":[1.0],"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"find","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n'
  say = (response) => response.writeHead(200).end(said)
  const chunks = await collect(upstream.chat(native({ model: 'ours', messages: [], stream_options: null }, false), signal))
  assert.equal(asked.body, '{"model":"theirs","messages":[],"stream":false}')
  assert.equal(passed(chunks), said)
  assert.deepEqual(understood(chunks), [
    { kind: 'tool_call', index: 0, id: 't', name: 'find', arguments: '{}' },
    { kind: 'finish', reason: 'tool_calls' },
    { kind: 'usage', inputTokens: 3, outputTokens: 1 },
  ])
})

test('an error that comes first is thrown unseen; one that comes later is passed once and thrown after it', async () => {
  const error = 'data: {"error":{"message":"overloaded"}}\n\n'
  say = (response) => response.writeHead(200).end(`: ping\n\n${error}`)
  await assert.rejects(collect(upstream.chat(native({}, true), signal)), isFault('unavailable', 'upstream.failed'))

  say = (response) => response.writeHead(200).end(`${events[1]}${error}data: [DONE]\n\n`)
  const chunks: ChatChunk[] = []
  await assert.rejects(async () => {
    for await (const chunk of upstream.chat(native({}, true), signal)) chunks.push(chunk)
  }, (thrown) => isFault('unavailable', 'upstream.failed')(thrown) && wasPassed(thrown))
  assert.equal(passed(chunks), `${events[1]}${error}`)
  assert.equal(textOf(chunks), 'Grüße ')
})

test('an answer that breaks off in the middle of an event shows only whole ones, and is told as broken', async () => {
  say = (response) => void response.writeHead(200).write(`${events[1]}data: {"ha`, () => response.destroy())
  const chunks: ChatChunk[] = []
  await assert.rejects(async () => {
    for await (const chunk of upstream.chat(native({}, true), signal)) chunks.push(chunk)
  }, (thrown) => isFault('unavailable', 'upstream.unreachable')(thrown) && !wasPassed(thrown))
  assert.equal(passed(chunks), events[1])
})

test('what cannot be read in the middle of an answer is not passed, and the client is told of it', async () => {
  say = (response) => response.writeHead(200).end(`${events[1]}data: {"half":\n\n`)
  const chunks: ChatChunk[] = []
  await assert.rejects(async () => {
    for await (const chunk of upstream.chat(native({}, true), signal)) chunks.push(chunk)
  }, (thrown) => isFault('unavailable', 'upstream.malformed')(thrown) && !wasPassed(thrown))
  assert.equal(passed(chunks), events[1])
})

test('garbage is malformed, whatever its shape, and shows nothing', async () => {
  for (const garbage of ['<html>', 'null', '{}', '{"choices":[]}', '{"error":"no"}', '{"choices":[{"message":{"tool_calls":7}}]}']) {
    say = (response) => response.writeHead(200).end(garbage)
    await assert.rejects(collect(upstream.chat(native({}, false), signal)), (thrown: { kind?: string }) => thrown.kind === 'unavailable', garbage)
    say = (response) => response.writeHead(200).end(`data: ${garbage}\n\n`)
    await assert.rejects(collect(upstream.chat(native({}, true), signal)), (thrown: { kind?: string }) => thrown.kind === 'unavailable', garbage)
  }
})

test('a connection is used again after [DONE], and given up when an upstream does not end', async () => {
  say = (response) => void response.writeHead(200).write(whole, () => setImmediate(() => response.end()))
  const before = connections
  for (let turn = 0; turn < 4; turn += 1) await collect(upstream.chat(native({}, true), signal))
  assert.ok(connections - before <= 2, `${connections - before} connections for 4 calls`)
  const closed = Promise.withResolvers<void>()
  say = (response) => {
    response.on('close', closed.resolve)
    response.writeHead(200).write(whole)
  }
  await collect(upstream.chat(native({}, true), signal))
  await closed.promise
})
