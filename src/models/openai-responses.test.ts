import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startModelServer, type ScriptedAnswer } from '../../test/support/model-server.ts'
import type { ChatRequest, NativeRequest } from './chat.ts'
import { createOpenaiResponses } from './openai-responses.ts'
import { collect, isFault, textOf, upstreamContract } from './upstream.contract.ts'

const server = await startModelServer({ models: [{ name: 'scripted' }], key: 'sk-test' })
const upstream = createOpenaiResponses({ name: 'cloud', kind: 'openai-responses', url: `${server.url}/v1`, zone: 'cloud' }, 'sk-test')
after(async () => {
  await upstream.close()
  await server.close()
})
const signal = new AbortController().signal
const ask: ChatRequest = { model: 'scripted', messages: [{ role: 'user', content: 'Hello' }] }
const say = (answer: ScriptedAnswer, more: Partial<ChatRequest> = {}) => {
  server.next(answer)
  return collect(upstream.chat({ ...ask, ...more }, signal))
}
const sent = () => server.calls().at(-1)!.json!

upstreamContract('openai-responses, scripted', async () => {
  const own = createOpenaiResponses({ name: 'cloud', kind: 'openai-responses', url: `${server.url}/v1`, zone: 'cloud' }, 'sk-test')
  return { upstream: own, model: 'scripted', close: own.close }
})

const everything = { thinking: ['let me ', 'sée'], text: ['Grüße, ', '🦊'], toolCalls: [{ name: 'find', arguments: { word: 'ü' } }, { name: 'count', arguments: {} }], usage: { input: 21, output: 4 } }

for (const quirks of [[], ['done-only'], ['in-small-pieces'], ['done-only', 'in-small-pieces']] as const) {
  test(`thoughts, text and calls are understood whole: ${quirks.join(', ') || 'as they should be'}`, async () => {
    const chunks = await say({ ...everything, quirks })
    const joined = (kind: 'thinking' | 'text') => chunks.map((chunk) => (chunk.kind === kind ? chunk.text : '')).join('')
    assert.deepEqual([joined('thinking'), joined('text')], ['let me sée', 'Grüße, 🦊'])
    const calls = chunks.filter((chunk) => chunk.kind === 'tool_call')
    const args = (wanted: number) => calls.filter(({ index }) => index === wanted).map((call) => call.arguments).join('')
    assert.deepEqual([args(0), args(1)], ['{"word":"ü"}', '{}'])
    assert.deepEqual(calls.filter(({ id }) => id !== undefined).map(({ index, id, name }) => [index, id, name]), [[0, 'call_0', 'find'], [1, 'call_1', 'count']])
    assert.deepEqual(chunks.slice(-2), [
      { kind: 'finish', reason: 'tool_calls' },
      { kind: 'usage', inputTokens: 21, outputTokens: 4, cachedTokens: 1, cacheWriteTokens: 0, reasoningTokens: 1 },
    ])
  })
}

test('what was cut by its limit ends with length, and no usage is no usage', async () => {
  assert.deepEqual((await say({ text: ['a'], finish: 'length', quirks: ['no-usage'] })).at(-1), { kind: 'finish', reason: 'length' })
})

test('what goes out is the conversation and what changes the answer, never to be stored', async () => {
  await say({ text: ['a'] }, {
    messages: [
      { role: 'system', content: 'Be terse.' },
      { role: 'user', content: [{ type: 'text', text: 'see' }, { type: 'image', mediaType: 'image/png', data: 'aGk=' }] },
      { role: 'assistant', content: 'so', thinking: 'not for others', thinkingSignature: 's', toolCalls: [{ id: 'c1', name: 'find', arguments: '{}' }] },
      { role: 'tool', content: 'found', toolCallId: 'c1' },
    ],
    tools: [{ name: 'find' }], toolChoice: { name: 'find' }, maxTokens: 50, format: { type: 'schema', name: 'x', schema: { type: 'object' } }, reasoning: 'low', temperature: 1,
  })
  assert.deepEqual(sent(), {
    model: 'scripted', stream: true, store: false, temperature: 1, max_output_tokens: 50, reasoning: { effort: 'low' },
    input: [
      { role: 'system', content: 'Be terse.' },
      { role: 'user', content: [{ type: 'input_text', text: 'see' }, { type: 'input_image', image_url: 'data:image/png;base64,aGk=', detail: 'auto' }] },
      { role: 'assistant', content: 'so' },
      { type: 'function_call', call_id: 'c1', name: 'find', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'found' },
    ],
    tools: [{ type: 'function', name: 'find', parameters: { type: 'object', properties: {} }, strict: false }], tool_choice: { type: 'function', name: 'find' },
    text: { format: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: false } },
  })
  const before = server.calls().length
  await assert.rejects(collect(upstream.chat({ ...ask, stop: ['.'] }, signal)), isFault('invalid', 'request.unsupported'))
  assert.equal(server.calls().length, before)
})

test('errors are told apart: before the first byte, on the way, and by an end without an end', async () => {
  const rejects = async (misbehaves: ScriptedAnswer['misbehaves'], code: string) => {
    server.next({ text: ['a', 'b'], ...(misbehaves && { misbehaves }) })
    await assert.rejects(collect(upstream.chat(ask, signal)), isFault('unavailable', code))
  }
  await rejects({ kind: 'status', status: 429, retryAfter: 3 }, 'upstream.limited')
  await rejects({ kind: 'status', status: 529 }, 'upstream.failed')
  await rejects({ kind: 'error', after: 1, message: 'overloaded' }, 'upstream.failed')
  await rejects({ kind: 'cut', after: 1 }, 'upstream.died')
  await rejects({ kind: 'malformed', after: 1 }, 'upstream.malformed')
  await rejects({ kind: 'die', after: 1 }, 'upstream.unreachable')
})

const native = (body: Record<string, unknown>): NativeRequest => ({ wire: 'openai-responses', body, headers: {}, stream: body['stream'] === true })

test('a request of the same wire is passed in its order, without what stores, tags or was never stored', async () => {
  server.next({ text: ['a'] })
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA-opaque' }
  const body = {
    instructions: 'Be terse.', model: 'auto', previous_response_id: null, store: true, metadata: { secret: 'x' }, user: 'me', safety_identifier: 'me', prompt_cache_key: 'me', service_tier: 'flex',
    input: [{ role: 'user', content: 'Hello' }, reasoning, { type: 'reasoning', id: 'rs_of_another', summary: [{ type: 'summary_text', text: 'hm' }] }],
    include: ['reasoning.encrypted_content', 'web_search_call.results'], unheard_of: true, text: { verbosity: 'low' }, stream: true,
  }
  await collect(upstream.chat({ ...ask, native: native(body) }, signal))
  assert.equal(
    JSON.stringify(sent()),
    JSON.stringify({
      instructions: 'Be terse.', model: 'scripted', store: false, input: [body.input[0], reasoning], include: ['reasoning.encrypted_content'], text: { verbosity: 'low' }, stream: true,
    }),
  )
})

test('a passed answer is the upstream’s own bytes, streamed and whole, with what is for the ledger after them', async () => {
  for (const stream of [true, false]) {
    server.next({ ...everything, quirks: ['in-small-pieces'] })
    const body = { input: 'Hello', include: ['reasoning.encrypted_content'], stream }
    const chunks = await collect(upstream.chat({ ...ask, native: native(body) }, signal))
    const text = Buffer.concat(chunks.flatMap((chunk) => (chunk.kind === 'native' ? [chunk.bytes] : []))).toString()
    assert.equal(chunks[0]?.kind, 'native')
    assert.match(text, /gAAAA-opaque/)
    assert.match(text, stream ? /event: response\.completed\ndata: [^\n]+\n\n$/ : /^\{"id":"resp_script"/)
    assert.equal(textOf(chunks), 'let me séeGrüße, 🦊')
    assert.deepEqual(chunks.at(-1), { kind: 'usage', inputTokens: 21, outputTokens: 4, cachedTokens: 1, cacheWriteTokens: 0, reasoningTokens: 1 })
  }
})

test('an error that an upstream told on the way is passed to its last event and thrown as passed', async () => {
  server.next({ text: ['a', 'b'], misbehaves: { kind: 'error', after: 1, message: 'overloaded' } })
  let text = ''
  await assert.rejects(async () => {
    for await (const chunk of upstream.chat({ ...ask, native: native({ input: 'Hello', stream: true }) }, signal)) if (chunk.kind === 'native') text += Buffer.from(chunk.bytes).toString()
  }, (error: { code: string; details: { passed?: boolean } }) => error.code === 'upstream.failed' && error.details.passed === true)
  assert.match(text, /event: error\n.*event: response\.failed\n[^\n]*overloaded[^\n]*\n\n$/s)
})
