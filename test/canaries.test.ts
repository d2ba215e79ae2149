import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { gateBoot, gateDatabase, openRun, until } from './support/gate.ts'
import { startModelServer, type Misbehaviour, type ModelServer } from './support/model-server.ts'
import { startCollector } from './support/trace-collector.ts'

// What a P2 or P3 run says, in every place of a request, through everything that can go wrong: none of it in what a cloud upstream received, nor in any log,
// metric, trace that leaves the house, or row with a lower label. Models are asked again, answers are kept, and a collector abroad is sent all it may have.

const main = join(import.meta.dirname, '../src/processes/main.ts')
const children: ChildProcess[] = []
const ends: Promise<unknown>[] = []
const removals: (() => Promise<void>)[] = []
after(async () => {
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(ends)
  await Promise.all([near.close(), far.close(), other.close(), collector.close(), ...removals.map((remove) => remove())])
})

const timeouts = { connect: 500, firstByte: 300, idle: 300 }
const near = await startModelServer({ models: [{ name: 'near:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
const collector = await startCollector()
const other = await startModelServer({ models: [{ name: 'other' }] })
const database = await gateDatabase(['near', 'far', 'other', 'google'])
const models = {
  upstreams: [
    { name: 'near', kind: 'ollama', url: near.url, zone: 'machine', timeouts },
    { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud', timeouts },
    { name: 'other', kind: 'openai', url: `${other.url}/v1`, zone: 'cloud', timeouts },
    { name: 'google', kind: 'gemini', url: `${other.url}/v1beta`, zone: 'cloud', timeouts },
  ],
  routing: { retry: { tries: 2, longestWaitMs: 100 }, breaker: { failures: 1_000, restMs: 1 }, cache: { keepMs: 60_000, bytes: 10_000_000 } },
  routes: { default: [{ upstream: 'near', model: 'auto' }, { upstream: 'far', model: 'far' }, { upstream: 'other', model: 'other' }], far: [{ upstream: 'far', model: 'far' }, { upstream: 'other', model: 'other' }, { upstream: 'google', model: 'other' }] },
} as const
await database.owner.pool.query(`update lane set redacts = name = 'open'`)

const logs: string[] = []
const canaries: string[] = []
/** A gate in a process of its own, everything that it says kept. */
async function startGate(name: 'gate-local' | 'gate-cloud', cloudSocket = '') {
  const { boot, remove } = await gateBoot(database, name, models, {}, { url: collector.url, zone: 'cloud', content: true })
  removals.push(remove)
  const sockets = cloudSocket === '' ? boot.sockets : { ...boot.sockets, gateCloud: cloudSocket }
  const child = spawn(process.execPath, ['--disable-sigusr1', main, name], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  children.push(child)
  ends.push(once(child, 'exit'))
  child.stderr!.setEncoding('utf8').on('data', (text) => logs.push(text))
  ;(child.stdio[3] as NodeJS.WritableStream).end(JSON.stringify({ ...boot, sockets }))
  const listening = Promise.withResolvers<string>()
  child.once('exit', (code, signal) => listening.reject(new Error(`${name} ended (${code ?? signal}) before it listened: ${logs.join('\n')}`)))
  listening.promise.catch(() => {})
  createInterface({ input: child.stdout! }).on('line', (line) => {
    logs.push(line)
    const { address } = JSON.parse(line) as { address?: string }
    if (address) listening.resolve(address)
  })
  return { address: await listening.promise, socket: boot.sockets.gateCloud }
}
const cloud = await startGate('gate-cloud')
const local = await startGate('gate-local', cloud.socket)

/** The forms in which a word can hide. */
function formsOf(canary: string): string[] {
  const bytes = Buffer.from(canary)
  const base64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '').slice(shift === 0 ? 0 : 4, -2))
  return [canary, bytes.toString('hex'), bytes.toString('base64url').slice(0, -2), encodeURIComponent(canary), [...canary].reverse().join(''), ...base64]
}

/** Split over events or lines, a word is whole again without what stands between its halves. */
function assertNowhere(canary: string, where: string, text: string): void {
  const joined = text.replace(/[^0-9A-Za-z@._-]+/g, '')
  for (const form of formsOf(canary)) {
    assert.ok(!text.includes(form), `${canary} as ${form} in ${where}`)
    assert.ok(!joined.includes(form.replace(/[^0-9A-Za-z@._-]+/g, '')), `${canary} as ${form}, split, in ${where}`)
  }
}

const sentTo = (server: ModelServer) => server.bytes().toString('latin1')

/** A word in each place of a request; those that must be something else for the request to be read at all come in a request of their own. */
function bodies(word: string, model: string): readonly (string | object)[] {
  const user = { role: 'user', content: 'Hello' }
  const tool = { type: 'function', function: { name: 'look', description: `about ${word}`, parameters: { type: 'object', description: word, properties: { [word]: { type: 'string', enum: [word] } } } } }
  return [
    { model, messages: [{ role: 'system', content: word }, { role: 'user', content: `a ${word} b` }, { role: 'assistant', content: word, reasoning_content: word }, user] },
    { model, messages: [{ role: 'user', content: [{ type: 'text', text: word }, ...['base64', 'hex'].map((form) => ({ type: 'text', text: Buffer.from(word).toString(form as 'hex') })), { type: 'text', text: encodeURIComponent(word) }], name: word }] },
    { model, messages: [user, { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: JSON.stringify({ [word]: word }) } }] }, { role: 'tool', tool_call_id: 'call_1', content: word }], tools: [tool] },
    { model, messages: [user], tools: [tool], tool_choice: 'auto', stop: [word], response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { title: word, type: 'object' } } } },
    { model, messages: [user], user: word, metadata: { word }, store: true, prompt_cache_key: word, safety_identifier: word, unknown_field: word, [word]: word },
    { model: `far/${word}`, messages: [user] },
    { model: word, messages: [user] },
    { model, messages: [{ role: word, content: word }] },
    { model, messages: [user], temperature: word },
    { model, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: `https://${word}/x.png` } }] }] },
    `{"model": "${model}", "messages": [{"role": "user", "content": "${word}`,
    `{"model": "${model}", "${word}": }`,
  ]
}

function responsesBodies(word: string, model: string): readonly (string | object)[] {
  const user = { role: 'user', content: 'Hello' }
  const tool = { type: 'function', name: 'look', description: `about ${word}`, parameters: { type: 'object', properties: { [word]: { type: 'string', enum: [word] } } } }
  const call = { type: 'function_call', id: word, call_id: 'call_1', name: 'look', arguments: JSON.stringify({ [word]: word }) }
  return [
    { model, instructions: word, input: `a ${word} b` },
    { model, input: [{ role: 'developer', content: word }, { role: 'user', content: [{ type: 'input_text', text: word }], id: word }, { type: 'reasoning', id: word, summary: [{ type: 'summary_text', text: word }], encrypted_content: word }, user] },
    { model, input: [user, call, { type: 'function_call_output', call_id: 'call_1', output: word, id: word }], tools: [tool] },
    { model, input: [user, { type: 'custom_tool_call', call_id: 'call_2', name: 'free', input: word }, { type: 'custom_tool_call_output', call_id: 'call_2', output: [{ type: 'output_text', text: word }] }], tools: [{ type: 'custom', name: 'free', description: word, format: { type: 'grammar', syntax: 'lark', definition: word } }] },
    { model, input: [user], text: { format: { type: 'json_schema', name: 'answer', schema: { title: word, type: 'object' } }, verbosity: word }, reasoning: { summary: word }, include: [word] },
    { model, input: [user], user: word, metadata: { word }, store: true, prompt_cache_key: word, safety_identifier: word, unknown_field: word, [word]: word },
    { model: `far/${word}`, input: [user] },
    { model, input: [user], previous_response_id: word },
    { model, input: [{ type: word }] },
    `{"model": "${model}", "input": "${word}`,
  ]
}

function embeddingsBodies(word: string, model: string): readonly (string | object)[] {
  return [{ model, input: word }, { model: model === 'auto' ? 'far/far' : model, input: ['a', word], user: word }, { model: `far/${word}`, input: word }, { model, input: [[word]] }]
}

function messagesBodies(word: string, model: string): readonly (string | object)[] {
  const user = { role: 'user', content: 'Hello' }
  const asked = { model, max_tokens: 100 }
  const tool = { name: 'look', description: `about ${word}`, input_schema: { type: 'object', properties: { [word]: { type: 'string', enum: [word] } } } }
  const call = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { [word]: word } }
  return [
    { ...asked, system: word, messages: [{ role: 'user', content: `a ${word} b` }, { role: 'assistant', content: [{ type: 'thinking', thinking: word, signature: word }, { type: 'redacted_thinking', data: word }, { type: 'text', text: word }] }, user] },
    { ...asked, system: [{ type: 'text', text: word, cache_control: { type: word } }], tools: [tool], messages: [user, { role: 'assistant', content: [call] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: word }] }] }] },
    { ...asked, messages: [user], stop_sequences: [word], output_config: { format: { type: 'json_schema', schema: { title: word, type: 'object' } } } },
    { ...asked, messages: [user], metadata: { user_id: word }, service_tier: word, context_management: { edits: [word] }, [word]: word },
    { ...asked, model: `far/${word}`, messages: [user] },
    { ...asked, messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'text', data: word } }] }] },
    `{"model": "${model}", "messages": "${word}`,
  ]
}

function ollamaBodies(word: string, model: string): readonly (string | object)[] {
  const user = { role: 'user', content: 'Hello' }
  const tool = { type: 'function', function: { name: 'look', description: `about ${word}`, parameters: { type: 'object', properties: { [word]: { type: 'string', enum: [word] } } } } }
  return [
    { model, messages: [{ role: 'system', content: word }, { role: 'user', content: `a ${word} b`, [word]: word }, { role: 'assistant', content: word, thinking: word }, user] },
    { model, messages: [user, { role: 'assistant', content: '', tool_calls: [{ function: { name: 'look', arguments: { [word]: word } } }] }, { role: 'tool', tool_name: 'look', content: word }], tools: [tool] },
    { model, messages: [user], format: { title: word, type: 'object' }, options: { stop: [word], [word]: 1, num_keep: word }, keep_alive: word, [word]: word },
    { model: `far/${word}`, messages: [user] },
    { model, messages: [{ role: 'user', content: 'x', images: [word] }] },
    { model, messages: [{ role: 'tool', tool_name: word, content: word }] },
    { model, messages: [user], think: word },
    `{"model": "${model}", "messages": "${word}`,
  ]
}

function generateBodies(word: string, model: string): readonly (string | object)[] {
  return [{ model, system: word, prompt: `a ${word} b` }, { model, prompt: 'Hello', template: word }, { model: word, prompt: word, options: { [word]: word } }]
}

function geminiBodies(word: string): readonly (string | object)[] {
  const user = { role: 'user', parts: [{ text: 'Hello' }] }
  const tool = { functionDeclarations: [{ name: 'look', description: `about ${word}`, parameters: { type: 'OBJECT', properties: { [word]: { type: 'STRING', enum: [word] } } }, response: { title: word } }] }
  return [
    { systemInstruction: { parts: [{ text: word }] }, contents: [user, { role: 'model', parts: [{ text: word, thought: true, thoughtSignature: Buffer.from(word).toString('base64') }, { text: word }] }, { role: 'user', parts: [{ text: `a ${word} b` }] }] },
    { contents: [user, { role: 'model', parts: [{ functionCall: { id: word, name: 'look', args: { [word]: word } }, partMetadata: { word } }] }, { role: 'user', parts: [{ functionResponse: { id: word, name: 'look', response: { [word]: { word } } } }] }], tools: [tool] },
    { contents: [user], generation_config: { stop_sequences: [word], response_mime_type: 'application/json', response_json_schema: { title: word, type: 'object' } }, safetySettings: [{ category: word, threshold: word }], tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: [word] } } },
    { contents: [user], labels: { word }, cachedContent: word, serviceTier: word, unknownField: word, [word]: word },
    { contents: [{ role: 'user', parts: [{ fileData: { fileUri: `https://${word}/x.png` } }] }] },
    { generateContentRequest: { model: word, contents: [{ role: 'user', parts: [{ text: word }] }] } },
    { content: { parts: [{ text: word }] }, title: word }, { requests: [{ content: { parts: [{ text: word }] } }] },
    `{"contents": [{"parts": [{"text": "${word}`,
  ]
}

/** On Gemini's wire the model stands in the path, with what is to be done. */
const geminiPaths = (word: string, model: string, stream: boolean) =>
  [model, 'google/other', word].flatMap((name) => [stream ? 'streamGenerateContent?alt=sse' : 'generateContent', 'streamGenerateContent', 'countTokens', 'batchEmbedContents'].map((method) => `/v1beta/models/${encodeURIComponent(name)}:${method}`))

/** Each wire with its path; the first body of each can be answered. */
const wires = [
  ['/v1/chat/completions', bodies], ['/v1/responses', responsesBodies], ['/v1/embeddings', embeddingsBodies], ['/v1/messages', messagesBodies], ['/v1/messages/count_tokens', messagesBodies],
  ['/api/chat', ollamaBodies], ['/api/generate', generateBodies], ['/api/embed', embeddingsBodies],
] as const

const troubles: readonly (Misbehaviour | undefined)[] = [
  undefined, { kind: 'status', status: 429, retryAfter: 0 }, { kind: 'status', status: 500 }, { kind: 'die', after: 0 }, { kind: 'die', after: 1 }, { kind: 'cut', after: 1 }, { kind: 'malformed', after: 1 }, { kind: 'stall' },
]

async function post(address: string, key: string, body: string | object, headers: Record<string, string> = {}, path = '/v1/chat/completions'): Promise<string> {
  const response = await fetch(`${address}${path}`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return response.text().catch(() => '')
}

/** Everything that this word must not be in. */
async function assertNotLeaked(canary: string, level: number): Promise<void> {
  assertNowhere(canary, 'what far received', sentTo(far))
  assertNowhere(canary, 'what other received', sentTo(other))
  assertNowhere(canary, 'a log', logs.join('\n'))
  assertNowhere(canary, 'traces', collector.bytes())
  for (const { address } of [local, cloud]) assertNowhere(canary, 'metrics', await (await fetch(`${address}/metrics`)).text())
  for (const table of ['model_call', 'audit_event', 'declassification']) {
    const { rows } = await database.owner.pool.query<{ row: string }>(`select row_to_json(t)::text as row from ${table} t where label_level < $1`, [level])
    assertNowhere(canary, table, rows.map(({ row }) => row).join('\n'))
  }
}

for (const stream of [false, true]) {
  for (const level of [2, 3] as const) {
    test(`nothing of a P${level} run reaches a cloud model or a log, in any place, through any trouble, ${stream ? 'streamed' : 'whole'}`, { timeout: 100_000 }, async () => {
      const canary = `canary-${level}-${stream}-q7x9.zulu@nest${level}.example`
      canaries.push(canary)
      const { key } = await openRun(database, level === 3 ? 'private' : 'open', level)
      for (const [index, misbehaves] of troubles.entries()) {
        // what is near may read it, and may say it again in its answers and its errors
        near.answer({ text: [`near says ${canary}`], ...(misbehaves && { misbehaves: misbehaves.kind === 'status' ? { ...misbehaves, message: `could not read ${canary}` } : misbehaves }) })
        far.answer({ text: ['from afar'], ...(misbehaves && { misbehaves }) })
        for (const [path, body] of wires.flatMap(([at, all]) => all(canary, index % 2 === 0 ? 'auto' : 'far/far').map((one) => [at, one] as const))) {
          const asked = typeof body === 'string' ? body : { ...body, stream }
          await post(local.address, key, asked, {}, path)
          // as a worker that was taken over would: with what it likes, where it likes
          await post(cloud.address, key, asked, { 'x-castellan-label': 'P0' }, path)
        }
        // each body with another of the paths, so that all of both come up
        const paths = geminiPaths(canary, index % 2 === 0 ? 'auto' : 'far/far', stream)
        for (const [place, body] of geminiBodies(canary).entries()) {
          const path = paths[(place + index) % paths.length]!
          await post(local.address, key, body, {}, path)
          await post(cloud.address, key, body, { 'x-castellan-label': 'P0' }, path)
        }
        near.release()
        far.release()
      }
      await post(local.address, key, bodies(canary, 'auto')[0]!, { 'x-castellan-task': canary })
      await post(cloud.address, canary, bodies(canary, 'auto')[0]!)
      await fetch(`${cloud.address}/v1/${canary}`, { headers: { authorization: `Bearer ${key}` } })
      await assertNotLeaked(canary, level)
      assert.ok(sentTo(near).includes(canary), 'the word was read by who may read it, so it was there')
    })
  }
}

test('a redacted run did reach the cloud, so that the words above could have', () => {
  assert.ok(far.calls().length > 0)
  assert.match(sentTo(far), /\[\[MAIL_ADDRESS_1\]\]/)
})

test('what is hidden from a plain look does not pass either gate', async () => {
  const asked = far.calls().length + other.calls().length
  const { key } = await openRun(database, 'open', 2)
  const user = { role: 'user', content: 'Hello' }
  for (const body of [
    { messages: [user], tools: [{ type: 'function', function: { name: 'pay', parameters: { type: 'object', properties: { card: { type: 'number', default: 4111111111111111 } } } } }] },
    { messages: [{ role: 'user', content: 'write to anna\\u0040museum.example' }] }, { messages: [{ role: 'user', content: 'anna\u200b@museum.example' }] }, { messages: [{ role: 'user', content: 'anna＠museum.example' }] },
  ]) {
    assert.match(await post(local.address, key, { model: 'far/far', ...body }), /redaction_blocked/)
    await post(cloud.address, key, { model: 'far/far', ...body })
  }
  assert.equal(far.calls().length + other.calls().length, asked)
})

test('two runs that differ in P3 contents, or in what is redacted, send the same bytes to cloud models', async () => {
  for (const server of [near, far, other]) server.answer({ text: ['fine'] })
  const bodyOf = (mail: string) => ({ model: 'far/far', messages: [{ role: 'user', content: `Please answer ${mail}, and greet ${mail}.` }, { role: 'assistant', content: 'Yes' }, { role: 'user', content: 'Now' }] })
  const sent = []
  for (const word of ['anna.arendt@one.example', 'b@two.example']) {
    const { key } = await openRun(database, 'open', 2)
    const since = far.calls().length
    await post(local.address, key, bodyOf(word), { 'cache-control': 'no-store' })
    // a busy machine may be late with its first byte, and is asked again
    const calls = far.calls().slice(since)
    assert.ok(calls.length > 0)
    sent.push(...calls)
    const secret = await openRun(database, 'private', 3)
    await post(local.address, secret.key, bodyOf(word))
    assert.equal(far.calls().length, since + calls.length)
  }
  assert.equal(new Set(sent.map(({ body }) => body.toString('utf8'))).size, 1)
  assert.equal(new Set(sent.map(({ headers }) => Object.keys(headers).join())).size, 1)
})

test('a collector abroad is told of redacted calls, and of nothing that they said before', async () => {
  await until(async () => /\[\[MAIL_ADDRESS_1\]\]/.test(collector.bytes()), 'a span of a redacted call')
  for (const canary of canaries) assertNowhere(canary, 'traces', collector.bytes())
})
