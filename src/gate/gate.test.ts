import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import OpenAI from 'openai'
import { auditOf, callsOf, closedCallsOf, gateDatabase, openRun, startGate, until } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'

// before the database's own hook, so that the gate stops first
after(async () => {
  await gate.stop()
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const database = await gateDatabase(['ollama'])
const gate = await startGate(database, 'gate-local', {
  upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }],
  routes: { summarize: [{ upstream: 'ollama', model: 'auto' }] },
})
beforeEach(() => server.answer({ text: ['Good ', 'morning.'], usage: { input: 11, output: 3 } }))

const clientOf = (key: string, options = {}) => new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: key, maxRetries: 0, ...options })
const messages = [{ role: 'user' as const, content: 'Hello' }]
const tools = [{ type: 'function' as const, function: { name: 'find', parameters: { type: 'object', properties: {} } } }]

test('an answer comes back whole, with who gave it, its usage, and a closed row', async () => {
  const { key, run } = await openRun(database, 'private', 3)
  const whole = await clientOf(key).chat.completions.create({ model: 'auto', messages }, { headers: { 'x-castellan-task': 'summarize' } })
  assert.deepEqual(whole.choices[0]?.message, { role: 'assistant', content: 'Good morning.', refusal: null })
  assert.deepEqual([whole.object, whole.model, whole.choices[0]?.finish_reason], ['chat.completion', 'ollama/scripted:latest', 'stop'])
  assert.deepEqual(whole.usage, { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 })
  assert.deepEqual(await closedCallsOf(database, run), [
    {
      gate: 'local', task: 'summarize', upstream: 'ollama', model: 'scripted:latest', zone: 'machine', state: 'succeeded', reason: null,
      input_tokens: 11, output_tokens: 3, label_level: 3, label_lanes: ['private'], closed: true,
    },
  ])
  assert.deepEqual(await auditOf(database, run), [{ kind: 'call.closed', actor: 'castellan_gate_local', state: 'succeeded' }])
})

test('a streamed answer comes in pieces: role first, usage last without a choice, and only when asked for', async () => {
  const { key } = await openRun(database, 'private')
  const read = async (include: boolean) => {
    const chunks: OpenAI.ChatCompletionChunk[] = []
    const stream = await clientOf(key).chat.completions.create({ model: 'auto', messages, stream: true, ...(include ? { stream_options: { include_usage: true } } : {}) })
    for await (const chunk of stream) chunks.push(chunk)
    return chunks
  }
  const chunks = await read(true)
  assert.deepEqual(chunks.map((chunk) => chunk.choices[0]?.delta), [{ role: 'assistant', content: '' }, { content: 'Good ' }, { content: 'morning.' }, {}, undefined])
  assert.deepEqual(chunks.map((chunk) => chunk.choices[0]?.finish_reason), [null, null, null, 'stop', undefined])
  assert.deepEqual(chunks.map((chunk) => chunk.usage?.total_tokens), [undefined, undefined, undefined, undefined, 14])
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1)
  const plain = await read(false)
  assert.equal(plain.length, 4)
  assert.ok(plain.every((chunk) => !('usage' in chunk) && !('tool_calls' in chunk.choices[0]!.delta)))
})

test('tools go through in both directions, whole and streamed', async () => {
  const { key } = await openRun(database, 'private')
  const script = { thinking: ['let me see'], toolCalls: [{ name: 'find', arguments: { word: 'x' } }, { name: 'find', arguments: {} }] }
  server.next(script, script)
  const whole = await clientOf(key).chat.completions.create({ model: 'scripted', messages, tools })
  const calls = whole.choices[0]!.message.tool_calls!
  assert.deepEqual([whole.choices[0]!.message.content, whole.choices[0]!.finish_reason], [null, 'tool_calls'])
  assert.deepEqual(calls.map((call) => call.type === 'function' && [call.function.name, call.function.arguments]), [['find', '{"word":"x"}'], ['find', '{}']])
  const streamed = await clientOf(key).chat.completions.stream({ model: 'scripted', messages, tools }).finalChatCompletion()
  assert.deepEqual(streamed.choices[0]!.message.tool_calls?.map((call) => call.type === 'function' && call.function.arguments), ['{"word":"x"}', '{}'])

  await clientOf(key).chat.completions.create({
    model: 'scripted',
    messages: [...messages, { role: 'assistant', content: null, tool_calls: calls }, { role: 'tool', tool_call_id: calls[0]!.id, content: 'found' }],
  })
  const sent = server.calls().at(-1)!.json!['messages'] as { role: string; tool_name?: string }[]
  assert.deepEqual(sent.map(({ role, tool_name }) => [role, tool_name]), [['user', undefined], ['assistant', undefined], ['tool', 'find']])
})

test('a client that aborts a stream hangs up on the upstream, and the call is abandoned with what it had cost so far', async () => {
  const { key, run } = await openRun(database, 'private')
  server.next({ text: ['eight ch', 'never'], misbehaves: { kind: 'pause', after: 1 } })
  const stream = await clientOf(key).chat.completions.create({ model: 'auto', messages, stream: true })
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content === 'eight ch') break
  assert.equal(await server.calls().at(-1)!.over, 'abandoned')
  server.release()
  await until(async () => (await callsOf(database, run))[0]?.state !== 'open')
  const [row] = await callsOf(database, run)
  assert.deepEqual([row?.state, row?.reason, row?.input_tokens, row?.output_tokens], ['abandoned', 'client_gone', 6, 2])
})

test('a client that gives up on a whole answer hangs up on the upstream too', async () => {
  const { key, run } = await openRun(database, 'private')
  server.next({ text: ['x'], misbehaves: { kind: 'stall' } })
  const controller = new AbortController()
  const asked = clientOf(key).chat.completions.create({ model: 'auto', messages }, { signal: controller.signal })
  await server.held()
  const call = server.calls().at(-1)!
  controller.abort()
  await assert.rejects(asked, OpenAI.APIUserAbortError)
  assert.equal(await call.over, 'abandoned')
  server.release()
  await until(async () => (await callsOf(database, run))[0]?.state === 'abandoned')
})

test('calls at once each get their own answer and their own row', async () => {
  const runs = await Promise.all([1, 2, 3, 4].map(() => openRun(database, 'private', 2)))
  server.answer((request) => ({ text: [`for ${(request.json!['messages'] as { content: string }[])[0]!.content}`], usage: { input: 4, output: 2 } }))
  const asked = runs.flatMap(({ key, run }) => [1, 2, 3, 4, 5].map(async (n) => {
    const whole = await clientOf(key).chat.completions.create({ model: 'auto', messages: [{ role: 'user', content: `${run} ${n}` }], stream: false })
    assert.equal(whole.choices[0]?.message.content, `for ${run} ${n}`)
  }))
  await Promise.all(asked)
  for (const { run } of runs) assert.deepEqual((await closedCallsOf(database, run)).map((row) => row.state), Array(5).fill('succeeded'))
})

test('the models of a session are those that its label may reach', async () => {
  const { key } = await openRun(database, 'private', 3)
  assert.deepEqual((await clientOf(key).models.list()).data.map((model) => model.id), ['auto', 'ollama/scripted:latest'])
})
