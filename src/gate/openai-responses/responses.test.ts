import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { after, beforeEach, test } from 'node:test'
import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

// before the database's own hook, so that the gates stop first
after(async () => {
  await Promise.all([near.stop(), far.stop()])
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'scripted:latest', capabilities: ['completion', 'tools', 'thinking'] }], key: 'sk-cloud' })
const database = await gateDatabase(['ollama', 'cloud'])
const near = await startGate(database, 'gate-local', { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }] })
const far = await startGate(
  database,
  'gate-cloud',
  { upstreams: [{ name: 'cloud', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud', key: { secret: 'CLOUD' } }] },
  { CLOUD: 'sk-cloud' },
)
const standing = { text: ['Good ', 'morning.'], usage: { input: 11, output: 3 } }
beforeEach(() => server.answer(standing))

const gates = [
  { name: 'near', gate: near, lane: 'private', upstream: 'ollama' },
  { name: 'far', gate: far, lane: 'open', upstream: 'cloud' },
] as const
const clientOf = (gate: { address: string }, apiKey: string) => new OpenAI({ baseURL: `${gate.address}/v1`, apiKey, maxRetries: 0 })
const find = { type: 'function' as const, name: 'find', strict: true, parameters: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'], additionalProperties: false } }

async function readAll(stream: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>): Promise<OpenAI.Responses.ResponseStreamEvent[]> {
  const events: OpenAI.Responses.ResponseStreamEvent[] = []
  for await (const event of stream) events.push(event)
  return events
}

for (const { name, gate, lane, upstream } of gates) {
  test(`${name}: an answer comes back whole, with its usage, and a closed row`, async () => {
    const { key, run } = await openRun(database, lane)
    const whole = await clientOf(gate, key).responses.create({
      model: 'scripted:latest', instructions: 'Be terse.', input: 'Hello', store: true, include: ['reasoning.encrypted_content'], prompt_cache_key: 'k',
      metadata: { a: 'b' }, max_output_tokens: 50, temperature: 0.5,
    })
    assert.deepEqual([whole.object, whole.status, whole.output_text, whole.model, 'store' in whole && whole.store], ['response', 'completed', 'Good morning.', `${upstream}/scripted:latest`, false])
    assert.deepEqual(whole.usage, { input_tokens: 11, input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 }, output_tokens: 3, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 14 })
    assert.deepEqual([whole.instructions, whole.max_output_tokens, whole.temperature, whole.metadata], ['Be terse.', 50, 0.5, { a: 'b' }])
    assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.upstream, row.state, row.input_tokens, row.output_tokens]), [[upstream, 'succeeded', 11, 3]])
    const sent = server.calls().at(-1)!
    assert.deepEqual(sent.json!['messages'], [{ role: 'system', content: 'Be terse.' }, { role: 'user', content: 'Hello' }])
    for (const word of ['store', 'prompt_cache_key', 'metadata', 'include']) assert.ok(!(word in sent.json!), word)
  })

  test(`${name}: a streamed answer tells its whole life in numbered events`, async () => {
    const { key } = await openRun(database, lane)
    server.next({ ...standing, thinking: ['let ', 'me see'] })
    const events = await readAll(await clientOf(gate, key).responses.create({ model: 'scripted:latest', input: 'Hello', stream: true, reasoning: { effort: 'low' } }))
    assert.deepEqual(events.map((event) => event.type.replace('response.', '')), [
      'created', 'in_progress',
      'output_item.added', 'reasoning_summary_part.added', 'reasoning_summary_text.delta', 'reasoning_summary_text.delta', 'reasoning_summary_text.done', 'reasoning_summary_part.done', 'output_item.done',
      'output_item.added', 'content_part.added', 'output_text.delta', 'output_text.delta', 'output_text.done', 'content_part.done', 'output_item.done',
      'completed',
    ])
    assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index))
    const last = events.at(-1)!
    assert.ok(last.type === 'response.completed')
    assert.deepEqual(last.response.output.map((item) => [item.type, 'status' in item && item.status]), [['reasoning', 'completed'], ['message', 'completed']])
    assert.deepEqual(last.response.usage?.total_tokens, 14)
    const done = events.flatMap((event) => (event.type === 'response.output_item.done' ? [event.item] : []))
    assert.deepEqual(done, last.response.output)
  })

  test(`${name}: tools go through in both directions, whole and streamed`, async () => {
    const { key } = await openRun(database, lane)
    const script = { toolCalls: [{ name: 'find', arguments: { word: 'ä' } }, { name: 'find', arguments: { word: 'b' } }] }
    server.next(script, script)
    const client = clientOf(gate, key)
    const whole = await client.responses.create({ model: 'scripted:latest', input: 'Hello', tools: [find], tool_choice: 'required' })
    const calls = whole.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))
    assert.deepEqual([whole.status, whole.output.length, calls.map((call) => [call.name, call.arguments])], ['completed', 2, [['find', '{"word":"ä"}'], ['find', '{"word":"b"}']]])
    const runner = client.responses.stream({ model: 'scripted:latest', input: 'Hello', tools: [find] })
    const deltas = new Map<number, string>()
    runner.on('response.function_call_arguments.delta', ({ output_index, delta }) => void deltas.set(output_index, (deltas.get(output_index) ?? '') + delta))
    const streamed = await runner.finalResponse()
    assert.deepEqual(streamed.output.map((item) => item.type === 'function_call' && item.arguments), ['{"word":"ä"}', '{"word":"b"}'])
    assert.deepEqual([...deltas.values()], ['{"word":"ä"}', '{"word":"b"}'])

    await client.responses.create({
      model: 'scripted:latest',
      tools: [find],
      input: [
        { role: 'developer', content: 'Be kind.' },
        { role: 'user', content: [{ type: 'input_text', text: 'see' }, { type: 'input_image', image_url: 'data:image/png;base64,aGk=', detail: 'auto' }] },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'opaque' },
        ...calls,
        { type: 'function_call_output', call_id: calls[0]!.call_id, output: 'found' },
        { type: 'function_call_output', call_id: calls[1]!.call_id, output: [{ type: 'input_text', text: 'nothing' }] },
      ],
    })
    const sent = server.calls().at(-1)!
    const messages = sent.json!['messages'] as { role: string; tool_calls?: unknown[] }[]
    assert.deepEqual(messages.map(({ role, tool_calls }) => [role, tool_calls?.length ?? 0]), [['system', 0], ['user', 0], ['assistant', 2], ['tool', 0], ['tool', 0]])
    assert.ok(!sent.body.includes('opaque'))
  })

  test(`${name}: a tool that takes free text is called with text and answered, whole and streamed`, async () => {
    const { key } = await openRun(database, lane)
    const script = { toolCalls: [{ name: 'apply_patch', arguments: { input: '*** Begin "Patch"\nä' } }, { name: 'find', arguments: { word: 'b' } }] }
    server.next(script, script)
    const client = clientOf(gate, key)
    const patch = { type: 'custom' as const, name: 'apply_patch', description: 'Changes files.', format: { type: 'grammar' as const, syntax: 'lark' as const, definition: 'start: "*** Begin"' } }
    const asked = { model: 'scripted:latest', input: 'Hello', tools: [patch, find] }
    const whole = await client.responses.create(asked)
    const offered = server.calls().at(-1)!.json!['tools'] as { function: { name: string; description: string; parameters: { required: string[] } } }[]
    assert.deepEqual(offered.map(({ function: { name: called, parameters } }) => [called, parameters.required]), [['apply_patch', ['input']], ['find', ['word']]])
    assert.match(offered[0]!.function.description, /Changes files\.\n\n.*grammar \(lark\):\nstart: /)
    const streamed = await client.responses.stream(asked).finalResponse()
    for (const { output } of [whole, streamed]) {
      assert.deepEqual(output.map((item) => (item.type === 'custom_tool_call' ? item.input : item.type === 'function_call' && item.arguments)), ['*** Begin "Patch"\nä', '{"word":"b"}'])
    }
    const [call] = whole.output
    assert.ok(call?.type === 'custom_tool_call')
    await client.responses.create({ ...asked, input: [{ role: 'user', content: 'Hello' }, { type: 'custom_tool_call', call_id: call.call_id, name: call.name, input: call.input }, { type: 'custom_tool_call_output', call_id: call.call_id, output: 'Done.' }] })
    const [, made, answered] = server.calls().at(-1)!.json!['messages'] as { content: string; tool_calls?: { function: { arguments: unknown } }[] }[]
    const written = made!.tool_calls![0]!.function.arguments
    assert.deepEqual([typeof written === 'string' ? JSON.parse(written) : written, answered!.content], [{ input: call.input }, 'Done.'])
  })

  test(`${name}: a tool in a namespace is offered by one name and called by two`, async () => {
    const { key } = await openRun(database, lane)
    const tools = [find, { type: 'namespace' as const, name: 'mcp__files__', description: 'Files.', tools: [{ type: 'function' as const, name: 'find', parameters: { type: 'object' } }] }]
    server.next({ toolCalls: [{ name: 'mcp__files__find', arguments: { word: 'ä' } }] })
    const client = clientOf(gate, key)
    const { output } = await client.responses.stream({ model: 'scripted:latest', input: 'Hello', tools }).finalResponse()
    const [call] = output
    assert.ok(call?.type === 'function_call')
    assert.deepEqual([call.name, call.namespace, call.arguments], ['find', 'mcp__files__', '{"word":"ä"}'])
    await client.responses.create({ model: 'scripted:latest', tools, input: [{ role: 'user', content: 'Hello' }, { type: 'function_call', call_id: call.call_id, name: call.name, namespace: 'mcp__files__', arguments: call.arguments }, { type: 'function_call_output', call_id: call.call_id, output: 'Done.' }] })
    const { messages, tools: offered } = server.calls().at(-1)!.json! as { messages: { tool_calls?: { function: { name: string } }[] }[]; tools: { function: { name: string } }[] }
    assert.deepEqual([messages[1]!.tool_calls![0]!.function.name, offered.map((tool) => tool.function.name)], ['mcp__files__find', ['find', 'mcp__files__find']])
  })

  test(`${name}: what is parsed by a schema has the schema's type`, async () => {
    const { key } = await openRun(database, lane)
    server.next({ text: ['{"city":', '"Wien"}'] })
    const place = z.object({ city: z.string() })
    const parsed = await clientOf(gate, key).responses.parse({ model: 'scripted:latest', input: 'Where?', text: { format: zodTextFormat(place, 'place') } })
    assert.deepEqual(parsed.output_parsed, { city: 'Wien' })
    const { format, response_format: wanted } = server.calls().at(-1)!.json! as { format?: { type: string }; response_format?: { json_schema: { name: string; strict: boolean } } }
    assert.deepEqual(upstream === 'ollama' ? format?.type : [wanted?.json_schema.name, wanted?.json_schema.strict], upstream === 'ollama' ? 'object' : ['place', true])
  })

  test(`${name}: an answer that was cut by its limit is incomplete, whole and streamed`, async () => {
    const { key } = await openRun(database, lane)
    server.next({ ...standing, finish: 'length' }, { ...standing, finish: 'length' })
    const whole = await clientOf(gate, key).responses.create({ model: 'scripted:latest', input: 'Hello', max_output_tokens: 3 })
    assert.deepEqual([whole.status, whole.incomplete_details], ['incomplete', { reason: 'max_output_tokens' }])
    const events = await readAll(await clientOf(gate, key).responses.create({ model: 'scripted:latest', input: 'Hello', stream: true }))
    const last = events.at(-1)!
    assert.ok(last.type === 'response.incomplete')
    assert.deepEqual([last.response.output.flatMap((item) => (item.type === 'message' ? item.content : [])).map((part) => part.type === 'output_text' && part.text).join(), last.response.status, last.response.usage?.output_tokens], ['Good morning.', 'incomplete', 3])
  })

  test(`${name}: a stream that breaks off says error, then failed with what was said so far`, async () => {
    const { key, run } = await openRun(database, lane)
    server.next({ ...standing, misbehaves: { kind: 'die', after: 1 } })
    const raw = await fetch(`${gate.address}/v1/responses`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'scripted:latest', input: 'Hello', stream: true }),
    })
    const events = (await raw.text()).trim().split('\n\n').map((text) => JSON.parse(text.split('\ndata: ')[1]!) as { type: string; response?: OpenAI.Responses.Response })
    assert.deepEqual(events.slice(-3).map(({ type }) => type), ['response.output_text.delta', 'error', 'response.failed'])
    const failed = events.at(-1)!.response!
    assert.deepEqual([failed.status, failed.error?.code, failed.output.length], ['failed', 'server_error', 1])
    assert.deepEqual((await closedCallsOf(database, run)).map((row) => row.state), ['failed'])
    server.next({ ...standing, misbehaves: { kind: 'die', after: 1 } })
    await assert.rejects(clientOf(gate, key).responses.stream({ model: 'scripted:latest', input: 'Hello' }).finalResponse(), OpenAI.APIError)
  })
}

test('what is not served is refused with the field and in words, before anything is asked', async () => {
  const { key } = await openRun(database, 'private')
  const sent = server.calls().length
  const refused: readonly [object, string, RegExp][] = [
    [{ previous_response_id: 'resp_1' }, 'previous_response_id', /whole conversation/],
    [{ conversation: 'conv_1' }, 'conversation', /whole conversation/],
    [{ background: true }, 'background', /stored/],
    [{ prompt: { id: 'p' } }, 'prompt', /instructions/],
    [{ truncation: 'auto' }, 'truncation', /disabled/],
    [{ top_logprobs: 3 }, 'top_logprobs', /leave it out/],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type', /provider runs/],
    [{ tools: [{ type: 'mcp', server_url: 'https://evil.example' }] }, 'tools[0].type', /provider runs/],
    [{ tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'web_search' }] }] }, 'tools[0].tools[0].type', /provider runs/],
    [{ tools: [find, find] }, 'tools[1]', /called find already/],
    [{ tool_choice: { type: 'web_search_preview' } }, 'tool_choice', /auto, none/],
    [{ input: [{ type: 'item_reference', id: 'x' }] }, 'input[0]', /send the item itself/],
    [{ input: [{ type: 'web_search_call', id: 'x', status: 'completed' }] }, 'input[0]', /their outputs/],
    [{ input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'http://169.254.169.254/' }] }] }, 'input[0].content[0]', /input_image/],
    [{ input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'http://169.254.169.254/' }] }] }, 'input[0].content[0].image_url', /data:/],
    [{ input: [] }, 'input', /at least one/],
    [{ input: undefined }, 'input', /text or a list/],
    [{ text: { format: { type: 'json_schema' } } }, 'text.format.schema', /JSON schema/],
    [{ max_output_tokens: 0 }, 'max_output_tokens', /1 or more/],
  ]
  for (const [more, param, words] of refused) {
    const answered = await fetch(`${near.address}/v1/responses`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'auto', input: 'Hello', ...more }),
    })
    const { error } = (await answered.json()) as { error: { param: string; message: string } }
    assert.deepEqual([answered.status, error.param], [400, param], JSON.stringify(more))
    assert.match(error.message, words)
  }
  assert.equal(server.calls().length, sent)
})

test('a WebSocket is refused with 426 and the connection stays good for a POST', async () => {
  const { key } = await openRun(database, 'private')
  const asked = request(`${near.address}/v1/responses`, {
    headers: { authorization: `Bearer ${key}`, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
  })
  asked.end()
  const [response] = await once(asked, 'response')
  response.resume()
  assert.equal(response.statusCode, 426)
  assert.equal((await clientOf(near, key).responses.create({ model: 'auto', input: 'Hello' })).output_text, 'Good morning.')
})
