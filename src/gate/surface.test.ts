import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import { closedCallsOf, gateBoot, gateDatabase, openRun, startFrom, startGate, type TestGate } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'
import { listModels, type GateReport } from '../models/index.ts'

after(async () => {
  await gate.stop()
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'scripted:latest' }, { name: 'embed-it:latest' }] })
const database = await gateDatabase(['ollama'])
const models = { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine', key: { secret: 'OLLAMA_KEY' } }] } as const
const open = () => startGate(database, 'gate-local', models, { OLLAMA_KEY: 'ollama-key-value' })
const gate = await open()
const { key } = await openRun(database, 'private')

interface Answered {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
  readonly json: { error?: { message: string; code: string; type: string; param: string | null }; ok?: boolean; data?: unknown }
}

/** A request as it stands; `fetch` would not let the Host header be chosen. */
async function send(to: { address: string } | { socket: string }, path: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Answered> {
  const target = 'address' in to ? { host: '127.0.0.1', port: new URL(to.address).port } : { socketPath: to.socket }
  const asked = request({ ...target, path, method: options.method ?? 'GET', headers: { connection: 'close', ...options.headers } })
  const answered = once(asked, 'response')
  // who is answered before all of the body is out is hung up on
  asked.on('error', () => {})
  asked.end(options.body)
  const [response] = await answered
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, headers: response.headers, text, json: text.startsWith('{') ? JSON.parse(text) : {} }
}
const post = (body: string, headers: Record<string, string> = {}) =>
  send(gate, '/v1/chat/completions', { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers }, body })
const chat = (more: object) => post(JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }], ...more }))

test('a page that points its own name at this machine is turned away before its key is looked at', async () => {
  for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80', '0.0.0.0', '[::2]:1']) {
    const answered = await send(gate, '/v1/models', { headers: { host, authorization: `Bearer ${key}` } })
    assert.deepEqual([answered.status, answered.json.error?.code], [403, 'host_refused'], host)
  }
  for (const host of ['127.0.0.1', `127.0.0.1:${new URL(gate.address).port}`, 'localhost:7402', '[::1]:7402']) {
    assert.equal((await send(gate, '/v1/models', { headers: { host, authorization: `Bearer ${key}` } })).status, 200, host)
  }
})

test('no page of another origin is let in: no CORS, and nothing that a browser sends unasked', async () => {
  const preflight = await send(gate, '/v1/chat/completions', { method: 'OPTIONS', headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' } })
  assert.equal(preflight.status, 404)
  const answered = await post(JSON.stringify({}), { origin: 'http://evil.example', 'content-type': 'text/plain' })
  assert.deepEqual([answered.status, answered.json.error?.code], [415, 'request.media_type'])
  for (const { headers } of [preflight, answered]) assert.ok(!Object.keys(headers).some((name) => name.startsWith('access-control-')))
})

test('what cannot be read says what would be right, in OpenAI’s words', async () => {
  const cases: readonly [string, number, string, RegExp][] = [
    ['{"model": "auto"', 400, 'request.invalid', /cannot be read as JSON.*model and messages/],
    ['', 400, 'request.invalid', /JSON/],
    ['[]', 400, 'request.invalid', /the body must be a JSON object/],
    ['{"__proto__": {"x": 1}, "model": "auto"}', 400, 'request.invalid', /JSON/],
    ['{"messages": []}', 400, 'request.invalid', /model must be a name: auto, task:NAME/],
    ['{"model": "auto", "messages": []}', 400, 'request.invalid', /messages must be a list of at least one/],
    [`{"model": "auto", "messages": [{"role": "user", "content": "${'x'.repeat(9 * 1024 * 1024)}"}]}`, 413, 'request.too_large', /more than 8 MiB/],
  ]
  for (const [body, status, code, words] of cases) {
    const { status: got, json } = await post(body)
    assert.deepEqual([got, json.error?.code, json.error?.type], [status, code, 'invalid_request_error'], body.slice(0, 60))
    assert.match(json.error!.message, words)
  }
  assert.equal(server.calls().length, 0)
})

test('what is not served is refused, not ignored', async () => {
  const unserved: readonly [object, string][] = [
    [{ n: 2 }, 'n'],
    [{ logprobs: true }, 'logprobs'],
    [{ modalities: ['text', 'audio'] }, 'audio'],
    [{ functions: [] }, 'functions'],
    [{ web_search_options: {} }, 'web_search_options'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ temperature: 'hot' }, 'temperature'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ stream: 'yes' }, 'stream'],
    [{ messages: [{ role: 'wizard', content: '' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://169.254.169.254/x.png' } }] }] }, 'messages[0].content[0].image_url.url'],
    [{ messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, 'messages[0].content[0]'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  ]
  for (const [more, param] of unserved) {
    const { status, json } = await chat(more)
    assert.deepEqual([status, json.error?.param], [400, param], JSON.stringify(more))
  }
  assert.equal((await post(JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'x' }] }), { 'x-castellan-task': 'Ä b' })).status, 400)
  assert.equal(server.calls().length, 0)
})

test('null is as good as left out', async () => {
  const { status } = await chat({ stream: null, tools: null, temperature: null, stop: null, response_format: null, max_tokens: null, n: null, stream_options: null })
  assert.equal(status, 200)
})

test('what is not here says what is', async () => {
  for (const path of ['/', '/v1/assistants', '/status', '/v1/../status']) {
    const { status, json } = await send(gate, path)
    assert.deepEqual([status, json.error?.code], [404, 'route.unknown'], path)
  }
})

test('health and status: the socket tells what the port does not, and neither tells a key', async () => {
  for (const to of [gate, { socket: gate.socket }]) assert.deepEqual(await send(to, '/healthz').then(({ status, json }) => [status, json.ok]), [200, true])
  const status = await send({ socket: gate.socket }, '/status?fresh=1')
  const data = status.json.data as { gate: string; address: string; upstreams: { name: string; state: string; latency_ms: number; models: unknown[] }[] }
  assert.deepEqual([data.gate, data.address, data.upstreams[0]?.name, data.upstreams[0]?.state, data.upstreams[0]?.models.length], ['local', gate.address, 'ollama', 'answers', 2])
  assert.ok(!status.text.includes('ollama-key-value'))
})

test('the socket takes calls too, from whoever may enter its folder', async () => {
  assert.equal(statSync(gate.socket).mode & 0o777, 0o666)
  const answered = await send({ socket: gate.socket }, '/v1/models', { headers: { authorization: `Bearer ${key}`, host: 'gate' } })
  assert.equal(answered.status, 200)
  assert.equal((await send({ socket: gate.socket }, '/v1/models')).status, 401)
})

test('models are listed over the sockets; a gate that is away is part of the list, and an upstream that is silent', async () => {
  const sockets = { gateLocal: gate.socket, gateCloud: `${gate.socket}.nowhere` }
  const reports = await listModels(sockets, true)
  assert.deepEqual(reports.map((report) => [report.gate, report.answers]), [['local', true], ['cloud', false]])
  const [ollama] = upstreamsOf(reports)
  assert.deepEqual([ollama!.name, ollama!.state, ollama!.models.map(({ name, embedding }) => [name, embedding])], ['ollama', 'answers', [['scripted:latest', false], ['embed-it:latest', true]]])
  assert.ok(ollama!.latency_ms > 0)
  await server.down()
  const [silent] = upstreamsOf(await listModels(sockets, true))
  await server.up()
  assert.deepEqual([silent!.state, silent!.models, silent!.error?.code], ['silent', [], 'upstream.unreachable'])
})
const upstreamsOf = (reports: readonly GateReport[]) => reports.flatMap((report) => (report.answers ? report.status.upstreams : []))

test('a stop lets what is being answered end, takes nothing new, and leaves no socket', async () => {
  const own = await open()
  const { key: ownKey, run } = await openRun(database, 'private')
  server.next({ text: ['a', 'b'], misbehaves: { kind: 'pause', after: 1 } })
  const asked = ask(own, ownKey)
  await server.held()
  const stopped = own.stop(5_000)
  await assert.rejects(ask(own, ownKey), /ECONNREFUSED|ECONNRESET|socket hang up/)
  server.release()
  assert.match((await asked).text, /"content":"ab"/)
  await stopped
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => row.state), ['succeeded'])
  assert.ok(!existsSync(own.socket))
})

for (const stream of [true, false]) {
  test(`a client that keeps its connection does not hold up a stop, ${stream ? 'streamed' : 'whole'}`, { timeout: 20_000 }, async () => {
    const own = await open()
    const { key: ownKey } = await openRun(database, 'private')
    server.next({ text: ['a', 'b'], misbehaves: { kind: 'pause', after: 1 } })
    const asked = fetch(`${own.address}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ownKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', stream, messages: [{ role: 'user', content: 'Hello' }] }),
    })
    await server.held()
    const stopped = own.stop(15_000)
    server.release()
    assert.match(await (await asked).text(), /b/)
    await stopped
  })
}

test('a stop that waits for too long ends what is left, and the ledger says so', async () => {
  const own = await open()
  const { key: ownKey, run } = await openRun(database, 'private')
  server.next({ text: ['a'], misbehaves: { kind: 'stall' } })
  const asked = ask(own, ownKey)
  await server.held()
  await own.stop(0)
  server.release()
  const answered = await asked
  assert.deepEqual([answered.status, answered.json.error?.code], [503, 'gate_stopped'])
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.reason]), [['abandoned', 'gate_stopped']])
})

const ask = (to: TestGate, bearer: string) =>
  send(to, '/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }] }),
  })

test('a gate starts over the socket of one that died, but not over a file', async (t) => {
  const { boot, remove } = await gateBoot(database, 'gate-local', models)
  t.after(remove)
  const stale = createServer().listen(boot.sockets.gateLocal)
  await once(stale, 'listening')
  stale.removeAllListeners('close')
  await (await startFrom(boot)).stop()
  stale.close()
  writeFileSync(boot.sockets.gateLocal, 'not a socket')
  await assert.rejects(startFrom(boot), /is not a socket/)
})

test('a port that is taken is said with the setting that changes it', async (t) => {
  const { boot, remove } = await gateBoot(database, 'gate-local', models)
  t.after(remove)
  const settings = { ...boot.house.settings, ports: { ...boot.house.settings.ports, gateLocal: Number(new URL(gate.address).port) } }
  await assert.rejects(startFrom({ ...boot, house: { ...boot.house, settings } }), /taken by another program.*ports\.gate_local/)
})
