import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { startModelServer } from '../../test/support/model-server.ts'
import { vectorOf } from '../../test/support/model-wire-embed.ts'
import { geminiError } from '../../test/support/model-wire-gemini.ts'
import { Fault } from '../kernel/fault.ts'
import type { ChatChunk, ChatRequest } from './chat.ts'
import { geminiEvents } from './gemini-events.ts'
import { thinkingConfig } from './gemini-thinking.ts'
import { toContents } from './gemini-wire.ts'
import { createGemini } from './gemini.ts'
import { passEvents, wasPassed } from './pass.ts'
import { collect, isFault, textOf, upstreamContract } from './upstream.contract.ts'

const models = ['scripted', 'gemini-3-pro', 'embed-it', 'imagen', 'last'].map((name) => ({ name }))
const server = await startModelServer({ models, key: 'key-of-google' })
after(() => server.close())
const open = (key = 'key-of-google') => createGemini({ name: 'google', kind: 'gemini', url: `${server.url}/v1beta`, zone: 'cloud' }, key)
const signal = new AbortController().signal
const ask: ChatRequest = { model: 'scripted', messages: [{ role: 'user', content: 'Hello' }] }
const passed = (chunks: readonly ChatChunk[]) => Buffer.concat(chunks.flatMap((chunk) => (chunk.kind === 'native' ? [chunk.bytes] : []))).toString()

upstreamContract('gemini, scripted', async () => {
  const upstream = open()
  return { upstream, model: 'scripted', close: upstream.close }
})

test('the key goes by its own header and never in the address, the model in the path, and nothing that stores', async () => {
  const upstream = open()
  await collect(upstream.chat(ask, signal))
  const { headers, json, path } = server.calls().at(-1)!
  assert.deepEqual([headers['x-goog-api-key'], headers.authorization, path], ['key-of-google', undefined, '/v1beta/models/scripted:streamGenerateContent'])
  assert.deepEqual(json, { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] })
  assert.ok(!server.bytes().includes('key=key-of-google'))
  await assert.rejects(collect(open('other').chat(ask, signal)), isFault('unavailable', 'upstream.key'))
  await assert.rejects(collect(upstream.chat({ ...ask, model: '../../x?y' }, signal)), isFault('missing', 'upstream.model'))
  assert.equal(server.requests.at(-1)!.path, '/v1beta/models/..%2F..%2Fx%3Fy:streamGenerateContent')
  await upstream.close()
})

test('all pages of its models are read; what neither answers nor makes vectors is left out', async () => {
  const upstream = open()
  assert.deepEqual((await upstream.models()).map(({ name, embedding }) => [name, embedding]), [['scripted', false], ['gemini-3-pro', false], ['embed-it', true], ['last', false]])
  await upstream.close()
})

test('thinking, text and two calls of tools are read wherever their bytes are cut, and the usage of the last event counts', async () => {
  const upstream = open()
  server.next({ thinking: ['Hm'], text: ['Grüße ', '🦊'], toolCalls: [{ name: 'a', arguments: { x: 'ä"' } }, { name: 'b', arguments: {} }], usage: { input: 21, output: 9 }, quirks: ['in-small-pieces'] })
  const chunks = await collect(upstream.chat(ask, signal))
  assert.equal(textOf(chunks), 'HmGrüße 🦊')
  const calls = chunks.filter((chunk) => chunk.kind === 'tool_call')
  assert.deepEqual(calls.map(({ index, name, arguments: json }) => [index, name, JSON.parse(json) as unknown]), [[0, 'a', { x: 'ä"' }], [1, 'b', {}]])
  assert.equal(new Set(calls.map(({ id }) => id)).size, 2)
  assert.deepEqual(chunks.slice(-2), [{ kind: 'finish', reason: 'tool_calls' }, { kind: 'usage', inputTokens: 21, outputTokens: 9, reasoningTokens: 5 }])
  await upstream.close()
})

test('why an answer ended is told in the words that all wires share', () => {
  const ended = (event: object) => {
    const reader = geminiEvents('google')
    reader.read(JSON.stringify(event))
    return reader.end()[0]
  }
  const reasons = { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'content_filter', RECITATION: 'content_filter', SPII: 'content_filter', NEW_REASON: 'content_filter', OTHER: 'stop' }
  for (const [finishReason, reason] of Object.entries(reasons)) assert.deepEqual(ended({ candidates: [{ finishReason }] }), { kind: 'finish', reason }, finishReason)
  assert.deepEqual(ended({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 3 } }), { kind: 'finish', reason: 'content_filter' })
  assert.throws(() => ended({ candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL' }] }), isFault('unavailable', 'upstream.failed'))
})

test('what was cached is part of the input and told apart, what was thought part of the output, and tools of the prompt count', () => {
  const reader = geminiEvents('google')
  reader.read(JSON.stringify({ candidates: [{ finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 100, cachedContentTokenCount: 60, toolUsePromptTokenCount: 7, candidatesTokenCount: 5, thoughtsTokenCount: 11 } }))
  assert.deepEqual(reader.end()[1], { kind: 'usage', inputTokens: 107, outputTokens: 16, cachedTokens: 60, reasoningTokens: 11 })
})

test('errors are read as Google writes them: the wait in the body, a failure in the middle as JSON outside of any event', async () => {
  const upstream = open()
  server.next({ misbehaves: { kind: 'status', status: 429, retryAfter: 34.5 } })
  await assert.rejects(collect(upstream.chat(ask, signal)), (error: Fault) => isFault('unavailable', 'upstream.limited')(error) && error.details['retryAfter'] === 34.5)
  server.next({ misbehaves: { kind: 'status', status: 503, message: 'overloaded' } })
  await assert.rejects(collect(upstream.chat(ask, signal)), (error: Fault) => isFault('unavailable', 'upstream.failed')(error) && /overloaded/.test(error.message))
  server.next({ misbehaves: { kind: 'status', status: 400, message: 'contents is not specified' } })
  await assert.rejects(collect(upstream.chat(ask, signal)), isFault('invalid', 'upstream.rejected'))
  server.next({ text: ['half '], misbehaves: { kind: 'error', after: 1, message: 'high demand' } })
  await assert.rejects(collect(upstream.chat(ask, signal)), (error: Fault) => isFault('unavailable', 'upstream.failed')(error) && /high demand/.test(error.message))
  server.next({ text: ['half '], misbehaves: { kind: 'cut', after: 1 } })
  await assert.rejects(collect(upstream.chat(ask, signal)), isFault('unavailable', 'upstream.died'))
  await upstream.close()
})

test('an error in the middle is passed once, and thrown after it; one that comes first is thrown unseen', async () => {
  const event = 'data: {"candidates":[{"content":{"parts":[{"text":"ä"}],"role":"model"}}]}\r\n\r\n'
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.boolean(), async (size, isLater) => {
    const bytes = Buffer.from((isLater ? event : '') + geminiError(503, 'high\n\n demand'))
    async function* raw(): AsyncGenerator<Buffer> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    const chunks: ChatChunk[] = []
    await assert.rejects(async () => {
      for await (const chunk of passEvents('google', raw(), geminiEvents('google', { isPassed: true }))) chunks.push(chunk)
    }, (error) => isFault('unavailable', 'upstream.failed')(error) && wasPassed(error) === isLater)
    assert.equal(passed(chunks), isLater ? bytes.toString() : '')
  }), { numRuns: 40 })
})

test('what has no shape is malformed, and nothing of it is an answer', () => {
  for (const odd of ['null', '[]', '7', '{"candidates":7}', '{"candidates":[{"content":{"parts":[{"text":7}]}}]}', '{"candidates":[{"content":{"parts":[{"functionCall":{"name":7}}]}}]}', '{"candidates":[null]}', '{"error":"no"}']) {
    const reader = geminiEvents('google')
    assert.throws(() => {
      reader.read(odd)
      reader.end()
    }, (error: Fault) => error instanceof Fault && ['upstream.malformed', 'upstream.died'].includes(error.code), odd)
  }
})

test('a conversation becomes contents: roles joined, results by the name of their tool, an effort as this model takes it', () => {
  const body = toContents({
    model: 'gemini-3-pro', temperature: 1.5, topK: 4, maxTokens: 4_000, stop: ['.'], reasoning: 'medium', toolChoice: { name: 'look' }, tools: [{ name: 'look', parameters: { type: 'object' }, strict: true }],
    format: { type: 'schema', name: 'x', schema: { type: 'object' } },
    messages: [
      { role: 'system', content: 'A' }, { role: 'user', content: 'one' }, { role: 'user', content: [{ type: 'image', mediaType: 'image/png', data: 'AAAA' }] },
      { role: 'assistant', content: '', thinking: 'hm', thinkingSignature: 'theirs', toolCalls: [{ id: 't1', name: 'look', arguments: '{"a":1}' }, { id: 't2', name: 'look', arguments: 'no json' }] },
      { role: 'tool', toolCallId: 't1', content: [{ type: 'text', text: 'found' }, { type: 'image', mediaType: 'image/png', data: 'BBBB' }] }, { role: 'tool', toolCallId: 't2', content: 'gone', isError: true }, { role: 'user', content: 'two' }, { role: 'system', content: 'B' },
    ],
  })
  assert.deepEqual(body, {
    contents: [
      { role: 'user', parts: [{ text: 'one' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
      { role: 'model', parts: [{ functionCall: { id: 't1', name: 'look', args: { a: 1 } }, thoughtSignature: 'skip_thought_signature_validator' }, { functionCall: { id: 't2', name: 'look', args: { arguments: 'no json' } } }] },
      { role: 'user', parts: [
        { functionResponse: { id: 't1', name: 'look', response: { output: 'found' } } }, { inlineData: { mimeType: 'image/png', data: 'BBBB' } },
        { functionResponse: { id: 't2', name: 'look', response: { error: 'gone' } } }, { text: 'two' },
      ] },
    ],
    systemInstruction: { parts: [{ text: 'A' }, { text: 'B' }] },
    tools: [{ functionDeclarations: [{ name: 'look', parametersJsonSchema: { type: 'object' } }] }],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['look'] } },
    generationConfig: { temperature: 1.5, topK: 4, maxOutputTokens: 4_000, stopSequences: ['.'], responseMimeType: 'application/json', responseJsonSchema: { type: 'object' }, thinkingConfig: { thinkingLevel: 'HIGH', includeThoughts: true } },
  })
})

test('each model is told an effort as it knows it, and models that do not think none', () => {
  assert.deepEqual(thinkingConfig('gemini-2.5-flash', 'none'), { thinkingBudget: 0, includeThoughts: false })
  assert.deepEqual(thinkingConfig('gemini-2.5-pro', 'none'), { thinkingBudget: 128, includeThoughts: false })
  assert.deepEqual(thinkingConfig('gemini-3-flash-preview', 'none'), { thinkingLevel: 'MINIMAL', includeThoughts: false })
  assert.deepEqual(thinkingConfig('gemini-3.1-pro-preview', 'medium'), { thinkingLevel: 'MEDIUM', includeThoughts: true })
  assert.deepEqual([thinkingConfig('gemini-2.0-flash', 'high'), thinkingConfig('gemma-3-27b-it', 'low'), thinkingConfig('gemini-3-pro-preview', undefined)], [undefined, undefined, undefined])
})

test('a request of the same wire is passed through, byte for byte, with the model in the path and nothing that stores, tags or searches', async () => {
  const upstream = open()
  for (const stream of [true, false]) {
    server.next({ text: ['pa', 'ssed'], usage: { input: 4, output: 2 } })
    const body = { labels: { a: 'b' }, contents: [{ role: 'user', parts: [{ text: 'Hello', thoughtSignature: 'AAAA' }] }], cachedContent: 'cachedContents/1', generationConfig: { topP: 1 }, safetySettings: [], store: true, unknown: 1 }
    const chunks = await collect(upstream.chat({ ...ask, native: { wire: 'gemini', body, headers: {}, stream } }, signal))
    const sent = server.calls().at(-1)!
    assert.equal(sent.body.toString(), '{"contents":[{"role":"user","parts":[{"text":"Hello","thoughtSignature":"AAAA"}]}],"generationConfig":{"topP":1},"safetySettings":[]}')
    assert.equal(sent.path, `/v1beta/models/scripted:${stream ? 'streamGenerateContent' : 'generateContent'}`)
    assert.match(passed(chunks), stream ? /^data: \{"candidates"[^]*"finishReason":"STOP"[^\n]*\r\n\r\n$/ : /^\{"candidates"/)
    assert.equal(chunks[0]?.kind, 'native')
    assert.deepEqual(chunks.slice(-2), [{ kind: 'finish', reason: 'stop' }, { kind: 'usage', inputTokens: 4, outputTokens: 2 }])
  }
  await upstream.close()
})

test('vectors are made a hundred at a time, in their order, and one that is missing is not made up for by another batch', async () => {
  const upstream = open()
  const input = Array.from({ length: 205 }, (_, index) => `text ${index}`)
  const { vectors, inputTokens } = await upstream.embed!({ model: 'embed-it', input, dimensions: 2 }, signal)
  assert.deepEqual([vectors, inputTokens], [input.map((text) => vectorOf(text, 2)), undefined])
  const sent = server.requests.filter(({ path }) => path.endsWith(':batchEmbedContents'))
  assert.deepEqual(sent.map(({ json }) => (json!['requests'] as object[]).length), [100, 100, 5])
  assert.deepEqual((sent[2]!.json!['requests'] as object[])[4], { model: 'models/embed-it', content: { parts: [{ text: 'text 204' }] }, outputDimensionality: 2 })
  server.next({ misbehaves: { kind: 'malformed', after: 0 } })
  await assert.rejects(upstream.embed!({ model: 'embed-it', input }, signal), isFault('unavailable', 'upstream.malformed'))
  await upstream.close()
})
