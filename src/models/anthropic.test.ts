import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startModelServer } from '../../test/support/model-server.ts'
import { anthropicEvents } from './anthropic-events.ts'
import { toMessages } from './anthropic-wire.ts'
import { createAnthropic } from './anthropic.ts'
import type { ChatRequest } from './chat.ts'
import { collect, isFault, textOf, upstreamContract } from './upstream.contract.ts'

const server = await startModelServer({ models: [{ name: 'scripted' }], key: 'key-of-anthropic' })
after(() => server.close())
const open = (key = 'key-of-anthropic') => createAnthropic({ name: 'claude', kind: 'anthropic', url: `${server.url}/v1`, zone: 'cloud' }, key)
const signal = new AbortController().signal
const ask: ChatRequest = { model: 'scripted', messages: [{ role: 'user', content: 'Hello' }] }

upstreamContract('anthropic, scripted', async () => {
  const upstream = open()
  return { upstream, model: 'scripted', close: upstream.close }
})

test('the key goes by its own header, with the version of the wire and nothing that stores', async () => {
  const upstream = open()
  await collect(upstream.chat(ask, signal))
  const { headers, json } = server.calls().at(-1)!
  assert.deepEqual([headers['x-api-key'], headers['anthropic-version'], headers.authorization], ['key-of-anthropic', '2023-06-01', undefined])
  assert.deepEqual(json, { model: 'scripted', max_tokens: 8_192, stream: true, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] })
  await assert.rejects(collect(open('other').chat(ask, signal)), isFault('unavailable', 'upstream.key'))
  await upstream.close()
})

test('thinking, text and two calls of tools are read from their events, and tokens from both ends', async () => {
  const upstream = open()
  server.next({ thinking: ['Hm'], text: ['I ', 'look'], toolCalls: [{ name: 'a', arguments: { x: 'ä"' } }, { name: 'b', arguments: {} }], usage: { input: 21, output: 9 } })
  const chunks = await collect(upstream.chat(ask, signal))
  assert.equal(textOf(chunks), 'HmI look')
  const calls = [0, 1].map((index) => chunks.filter((chunk) => chunk.kind === 'tool_call' && chunk.index === index).map((chunk) => (chunk.kind === 'tool_call' ? chunk.arguments : '')).join(''))
  assert.deepEqual(calls.map((json) => JSON.parse(json)), [{ x: 'ä"' }, {}])
  assert.deepEqual(chunks.slice(-2), [{ kind: 'finish', reason: 'tool_calls' }, { kind: 'usage', inputTokens: 21, outputTokens: 9 }])
  await upstream.close()
})

test('what is in the cache and what is put there count as input, and are told apart', () => {
  const reader = anthropicEvents('claude')
  reader.read(JSON.stringify({ type: 'message_start', message: { usage: { input_tokens: 5, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 1 } } }))
  reader.read(JSON.stringify({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7, input_tokens: null } }))
  assert.deepEqual(reader.end(), [{ kind: 'finish', reason: 'stop' }, { kind: 'usage', inputTokens: 125, outputTokens: 7, cachedTokens: 100, cacheWriteTokens: 20 }])
})

test('an error in the stream, an end too early, and what has no shape are failures of the upstream', async () => {
  const upstream = open()
  server.next({ text: ['half '], misbehaves: { kind: 'error', after: 1, message: 'overloaded' } })
  await assert.rejects(collect(upstream.chat(ask, signal)), isFault('unavailable', 'upstream.failed'))
  server.next({ text: ['half '], misbehaves: { kind: 'cut', after: 1 } })
  await assert.rejects(collect(upstream.chat(ask, signal)), isFault('unavailable', 'upstream.died'))
  server.next({ misbehaves: { kind: 'status', status: 529 } })
  await assert.rejects(collect(upstream.chat(ask, signal)), isFault('unavailable', 'upstream.failed'))
  for (const odd of ['null', '[]', '7', '{"type":"content_block_delta","delta":{"type":"text_delta","text":7}}', '{"type":"content_block_start","content_block":{"type":"tool_use","id":7}}', '{"type":"message","content":7}']) {
    const reader = anthropicEvents('claude')
    try {
      reader.read(odd)
    } catch (error) {
      isFault('unavailable', 'upstream.malformed')(error)
    }
  }
  await upstream.close()
})

test('a conversation becomes turns that alternate, with results of tools as the user’s', () => {
  const body = toMessages({
    ...ask, temperature: 1.5, reasoning: 'medium', maxTokens: 4_000, parallelToolCalls: false, tools: [{ name: 'look' }], stop: ['.'],
    messages: [
      { role: 'system', content: 'A' }, { role: 'user', content: 'one' }, { role: 'user', content: [{ type: 'image', mediaType: 'image/png', data: 'AAAA' }] },
      { role: 'assistant', content: '', thinking: 'hm', toolCalls: [{ id: 't1', name: 'look', arguments: '{"a":1}' }, { id: 't2', name: 'look', arguments: 'no json' }] },
      { role: 'tool', toolCallId: 't1', content: 'found' }, { role: 'tool', toolCallId: 't2', content: '', isError: true }, { role: 'user', content: 'two' }, { role: 'system', content: 'B' },
    ],
  })
  assert.deepEqual(body, {
    model: 'scripted', max_tokens: 4_000, stream: true, system: 'A\n\nB', stop_sequences: ['.'], tools: [{ name: 'look', description: undefined, input_schema: { type: 'object', properties: {} } }],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true }, thinking: { type: 'enabled', budget_tokens: 2_000 },
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'one' }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'look', input: { a: 1 } }, { type: 'tool_use', id: 't2', name: 'look', input: { arguments: 'no json' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'found' }] }, { type: 'tool_result', tool_use_id: 't2', content: [], is_error: true }, { type: 'text', text: 'two' }] },
    ],
  })
})

test('a request of the same wire is passed through, byte for byte, with the model’s name replaced and nothing that tags or stores', async () => {
  const upstream = open()
  for (const stream of [true, false]) {
    server.next({ text: ['pa', 'ssed'], usage: { input: 4, output: 2 } })
    const body = { model: 'claude/scripted', metadata: { user_id: 'x' }, system: [{ type: 'text', text: 'S', cache_control: { type: 'ephemeral' } }], max_tokens: 5, stream, messages: [{ role: 'user', content: 'Hello' }], service_tier: 'auto', unknown: 1 }
    const chunks = await collect(upstream.chat({ ...ask, native: { wire: 'anthropic-messages', body, headers: { 'anthropic-beta': 'a,b' }, stream } }, signal))
    const sent = server.calls().at(-1)!
    assert.deepEqual(Object.keys(sent.json!), stream ? ['model', 'system', 'max_tokens', 'stream', 'messages'] : ['model', 'system', 'max_tokens', 'messages'])
    assert.deepEqual([sent.json!['model'], sent.headers['anthropic-beta'], sent.headers['anthropic-version']], ['scripted', 'a,b', '2023-06-01'])
    const native = Buffer.concat(chunks.flatMap((chunk) => (chunk.kind === 'native' ? [chunk.bytes] : []))).toString()
    assert.match(native, stream ? /^event: message_start\n[^]*event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/ : /^\{"id":"msg_script"/)
    assert.equal(chunks[0]?.kind, 'native')
    assert.deepEqual(chunks.slice(-2), [{ kind: 'finish', reason: 'stop' }, { kind: 'usage', inputTokens: 4, outputTokens: 2 }])
  }
  await upstream.close()
})
