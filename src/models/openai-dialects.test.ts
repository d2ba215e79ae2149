import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startModelServer } from '../../test/support/model-server.ts'
import { Fault } from '../kernel/fault.ts'
import type { ChatMessage, ChatRequest } from './chat.ts'
import { openaiEvents } from './openai-events.ts'
import { toMistral, toMoonshot } from './openai-dialects.ts'
import { createMistral, createMoonshot } from './openai.ts'
import { collect, textOf, upstreamContract } from './upstream.contract.ts'

const server = await startModelServer({ models: [{ name: 'scripted' }], key: 'sk-test' })
after(() => server.close())
const settings = { name: 'it', url: `${server.url}/v1`, zone: 'cloud' } as const
const signal = new AbortController().signal
const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({ model: 'scripted', messages: [{ role: 'user', content: 'Hello' }], ...more })
const looped: readonly ChatMessage[] = [
  { role: 'user', content: 'Where?' },
  { role: 'assistant', content: '', thinking: 'Hm', toolCalls: [{ id: 'call_0fypS1hVX', name: 'find', arguments: '{}' }, { id: 'abc123XYZ', name: 'find', arguments: '{}' }] },
  { role: 'tool', toolCallId: 'call_0fypS1hVX', content: 'here' },
  { role: 'tool', toolCallId: 'abc123XYZ', content: 'there' },
]

for (const [name, open] of [['mistral', createMistral], ['moonshot', createMoonshot]] as const) {
  upstreamContract(`${name}, scripted`, async () => {
    const upstream = open({ ...settings, kind: name }, 'sk-test')
    return { upstream, model: 'scripted', close: upstream.close }
  })

  test(`${name} is passed nothing through: a body of OpenAI's is put into its own words`, async () => {
    const upstream = open({ ...settings, kind: name }, 'sk-test')
    server.next({ text: ['fine'] })
    const body = { messages: [], logit_bias: { 1: 2 }, unknown: true }
    assert.equal(textOf(await collect(upstream.chat(ask({ native: { wire: 'openai-chat', body, headers: {}, stream: true } }), signal))), 'fine')
    const sent = server.calls().at(-1)!.json!
    assert.deepEqual(['logit_bias' in sent, 'unknown' in sent, (sent['messages'] as object[]).length], [false, false, 1])
    await upstream.close()
  })
}

test('Mistral is sent only fields that it knows, by its own names', () => {
  const body = toMistral(ask({ maxTokens: 9, maxTokensIsNewName: true, seed: -7, temperature: 0.5, reasoning: 'low', format: { type: 'json' } }))
  assert.deepEqual(body, { model: 'scripted', stream: true, temperature: 0.5, max_tokens: 9, random_seed: 7, response_format: { type: 'json_object' }, messages: [{ role: 'user', content: 'Hello' }] })
})

test('ids of other providers become ids of nine letters and digits, and a result still finds its call', () => {
  const { messages } = toMistral(ask({ messages: looped })) as { messages: { tool_calls?: { id: string }[]; tool_call_id?: string }[] }
  const [first, second] = messages[1]!.tool_calls!.map(({ id }) => id)
  assert.match(first!, /^[0-9a-zA-Z]{9}$/)
  assert.deepEqual([messages[2]!.tool_call_id, messages[3]!.tool_call_id, second], [first, 'abc123XYZ', 'abc123XYZ'])
})

test('a thought of Mistral’s in parts is a thought, and its answer an answer', () => {
  const reader = openaiEvents('mistral')
  const chunks = [
    { choices: [{ delta: { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] } }] },
    { choices: [{ delta: { content: [{ type: 'text', text: 'Yes' }] }, finish_reason: 'stop' }], usage: { prompt_tokens: 3, completion_tokens: 2 } },
  ].flatMap((event) => reader.read(JSON.stringify(event)).chunks)
  assert.deepEqual([...chunks, ...reader.end()], [{ kind: 'thinking', text: 'Hm' }, { kind: 'text', text: 'Yes' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage', inputTokens: 3, outputTokens: 2 }])
})

test('Kimi reads again what it thought, has a temperature of at most 1 or none, and can be told not to think', () => {
  const kimi = (model: string, more: Partial<ChatRequest>) => toMoonshot(ask({ model, ...more })) as Record<string, unknown>
  assert.equal((kimi('kimi-k2.6', { messages: looped })['messages'] as { reasoning_content?: string }[])[1]!.reasoning_content, 'Hm')
  assert.equal(kimi('moonshot-v1-32k', { temperature: 1.5 })['temperature'], 1)
  const newer = kimi('kimi-k2.6', { temperature: 0.2, topP: 0.5, reasoning: 'none' })
  assert.deepEqual(['temperature' in newer, 'top_p' in newer, newer['thinking']], [false, false, { type: 'disabled' }])
})

test('a tool that Kimi must call is refused rather than left to it', () => {
  for (const toolChoice of ['required', { name: 'find' }] as const) {
    assert.throws(() => toMoonshot(ask({ toolChoice })), (error) => error instanceof Fault && error.code === 'request.unsupported')
  }
})
