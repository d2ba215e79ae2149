import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startModelServer, type Quirk } from '../../test/support/model-server.ts'
import type { ChatRequest } from './chat.ts'
import { openaiEvents } from './openai-events.ts'
import { createOpenai } from './openai.ts'
import { collect, isFault, textOf, upstreamContract } from './upstream.contract.ts'

const server = await startModelServer({ models: [{ name: 'scripted' }], key: 'sk-test' })
after(() => server.close())

const open = (key = 'sk-test') => createOpenai({ name: 'cloud', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud' }, key)
const signal = new AbortController().signal
const ask: ChatRequest = { model: 'scripted', messages: [{ role: 'user', content: 'Hello' }] }

upstreamContract('openai, scripted', async () => {
  const upstream = open()
  return { upstream, model: 'scripted', close: upstream.close }
})

test('usage is found in a last chunk without choices, and in one with a choice; none is no usage', async () => {
  const upstream = open()
  const usageWith = async (...quirks: Quirk[]) => {
    server.next({ text: ['a'], usage: { input: 21, output: 4 }, quirks })
    return (await collect(upstream.chat(ask, signal))).find((chunk) => chunk.kind === 'usage')
  }
  const expected = { kind: 'usage', inputTokens: 21, outputTokens: 4 }
  assert.deepEqual([await usageWith(), await usageWith('usage-in-choices'), await usageWith('no-usage')], [expected, expected, undefined])
  await upstream.close()
})

test('the first delta is not lost, empty tool calls are none, and an end without [DONE] is an end', async () => {
  const upstream = open()
  server.next({ text: ['one ', 'two'], quirks: ['content-in-first-delta', 'empty-tool-calls', 'no-done'] })
  const chunks = await collect(upstream.chat(ask, signal))
  assert.equal(textOf(chunks), 'one two')
  assert.deepEqual(chunks.filter((chunk) => chunk.kind === 'finish' || chunk.kind === 'tool_call'), [{ kind: 'finish', reason: 'stop' }])
  await upstream.close()
})

test('fragments of tool calls keep their index, their id once, and make the finish reason', async () => {
  const upstream = open()
  server.next({ toolCalls: [{ name: 'find', arguments: { word: 'a' } }, { name: 'count', arguments: { n: 1 } }], quirks: ['stop-after-tools'] })
  const chunks = await collect(upstream.chat({ ...ask, tools: [{ name: 'find' }, { name: 'count' }] }, signal))
  const calls = chunks.filter((chunk) => chunk.kind === 'tool_call')
  assert.deepEqual(calls.map(({ index, id, name }) => [index, id, name]), [[0, 'call_0', 'find'], [0, undefined, undefined], [1, 'call_1', 'count'], [1, undefined, undefined]])
  assert.equal(calls.filter(({ index }) => index === 0).map((call) => call.arguments).join(''), '{"word":"a"}')
  assert.deepEqual(chunks.find((chunk) => chunk.kind === 'finish'), { kind: 'finish', reason: 'tool_calls' })
  await upstream.close()
})

test('what goes out is the conversation and what changes the answer, nothing else', async () => {
  const upstream = open()
  await collect(upstream.chat({
    ...ask,
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'see' }, { type: 'image', mediaType: 'image/png', data: 'aGk=' }] },
      { role: 'assistant', content: '', thinking: 'not for others', toolCalls: [{ id: 'c1', name: 'find', arguments: '{}' }] },
      { role: 'tool', content: 'found', toolCallId: 'c1' },
    ],
    tools: [{ name: 'find' }], toolChoice: 'required', maxTokens: 5, maxTokensIsNewName: true, format: { type: 'json' },
  }, signal))
  assert.deepEqual(server.calls().at(-1)!.json, {
    model: 'scripted', stream: true, stream_options: { include_usage: true }, max_completion_tokens: 5,
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'see' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } }] },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'find', arguments: '{}' } }] },
      { role: 'tool', content: 'found', tool_call_id: 'c1' },
    ],
    tools: [{ type: 'function', function: { name: 'find' } }], tool_choice: 'required', response_format: { type: 'json_object' },
  })
  await upstream.close()
})

test('what is no text is not taken for one', () => {
  for (const delta of [{ content: 5 }, { reasoning: {} }, { tool_calls: [{ index: 'x' }] }, { tool_calls: [{ id: 1, function: { name: 'find' } }] }, { tool_calls: 3 }]) {
    assert.throws(() => openaiEvents('it').read(JSON.stringify({ choices: [{ delta }] })), isFault('unavailable', 'upstream.malformed'), JSON.stringify(delta))
  }
})

test('a key that the provider does not take is the operator’s to mend, not the client’s', async () => {
  const upstream = open('sk-wrong')
  await assert.rejects(collect(upstream.chat(ask, signal)), isFault('unavailable', 'upstream.key'))
  await upstream.close()
})
