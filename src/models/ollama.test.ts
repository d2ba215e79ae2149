import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { startModelServer } from '../../test/support/model-server.ts'
import type { ChatRequest } from './chat.ts'
import { createOllama } from './ollama.ts'
import { collect, isFault, upstreamContract } from './upstream.contract.ts'

const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
after(() => server.close())
beforeEach(() => server.answer({ text: ['Good ', 'morning.'], usage: { input: 11, output: 3 } }))

const open = (settings = {}) => createOllama({ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine', ...settings })
const signal = new AbortController().signal
const ask: ChatRequest = { model: 'scripted:latest', messages: [{ role: 'user', content: 'Hello' }] }

upstreamContract('ollama, scripted', async () => {
  const upstream = open()
  return { upstream, model: 'scripted:latest', close: upstream.close }
})

// the same promises on a real daemon, where one with a model answers
const real = createOllama({ name: 'ollama', kind: 'ollama', url: 'http://127.0.0.1:11434', zone: 'machine' })
const realModels = await real.models(AbortSignal.timeout(1_000)).catch(() => [])
const realModel = realModels.find((model) => !model.embedding && model.zone === 'machine')?.name
if (realModel !== undefined) upstreamContract('ollama, real', async () => ({ upstream: real, model: realModel }))

test('tool calls that came before the end make the finish reason', async () => {
  server.next({ toolCalls: [{ name: 'find', arguments: { word: 'ä' } }, { name: 'count', arguments: {} }] })
  const upstream = open()
  const chunks = await collect(upstream.chat({ ...ask, tools: [{ name: 'find' }, { name: 'count' }] }, signal))
  const calls = chunks.filter((chunk) => chunk.kind === 'tool_call')
  assert.deepEqual(calls.map(({ index, name, arguments: text }) => [index, name, text]), [[0, 'find', '{"word":"ä"}'], [1, 'count', '{}']])
  assert.equal(new Set(calls.map(({ id }) => id)).size, 2)
  assert.deepEqual(chunks.at(-2), { kind: 'finish', reason: 'tool_calls' })
  await upstream.close()
})

test('thinking is told apart from text, and a length limit from an end', async () => {
  server.next({ thinking: ['hm'], text: ['so'], finish: 'length' })
  const upstream = open()
  assert.deepEqual((await collect(upstream.chat(ask, signal))).slice(0, 3), [
    { kind: 'thinking', text: 'hm' },
    { kind: 'text', text: 'so' },
    { kind: 'finish', reason: 'length' },
  ])
  await upstream.close()
})

test('a model behind the daemon that runs in the cloud is a cloud model, by what the daemon says and by its name', async () => {
  server.install([
    { name: 'local:1b' },
    { name: 'gpt-oss:120b-cloud' },
    { name: 'kimi:cloud' },
    { name: 'innocent:latest', remoteHost: 'https://ollama.com:443' },
    { name: 'nomic-embed-text:latest', family: 'nomic-bert' },
    { name: 'mxbai-embed-large:latest' },
  ])
  const upstream = open()
  assert.deepEqual((await upstream.models()).map(({ zone, embedding }) => [zone, embedding]), [
    ['machine', false], ['cloud', false], ['cloud', false], ['cloud', false], ['machine', true], ['machine', true],
  ])
  for (const model of ['kimi:cloud', 'innocent:latest']) {
    const before = server.calls().length
    await assert.rejects(collect(upstream.chat({ ...ask, model }, signal)), isFault('refused', 'upstream.zone'))
    for (const wire of ['ollama-chat', 'ollama-generate'] as const) {
      await assert.rejects(collect(upstream.chat({ ...ask, model, native: { wire, body: { ...ask, model: 'local:1b' }, headers: {}, stream: true } }, signal)), isFault('refused', 'upstream.zone'))
    }
    assert.equal(server.calls().length, before)
  }
  server.install([{ name: 'scripted:latest' }])
  await upstream.close()
})

test('the context window is asked for, holds the conversation, and stays within the model', async () => {
  server.install([{ name: 'scripted:latest', contextLength: 40_000 }])
  const upstream = open()
  const windowOf = async (characters: number) => {
    await collect(upstream.chat({ ...ask, messages: [{ role: 'user', content: 'x'.repeat(characters) }] }, signal))
    return (server.calls().at(-1)!.json!['options'] as { num_ctx: number }).num_ctx
  }
  assert.equal(await windowOf(10), 8_192)
  assert.equal(await windowOf(30_000), 16_384)
  assert.equal(await windowOf(300_000), 40_000)
  const { truncate, shift } = server.calls().at(-1)!.json!
  assert.deepEqual({ truncate, shift }, { truncate: false, shift: false })
  server.install([{ name: 'scripted:latest' }])
  await upstream.close()
})

test('a conversation with tool results is put in Ollama words', async () => {
  const upstream = open()
  await collect(upstream.chat({
    ...ask,
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'look' }, { type: 'image', mediaType: 'image/png', data: 'aGk=' }] },
      { role: 'assistant', content: '', toolCalls: [{ id: 'call_9', name: 'find', arguments: '{"word":"x"}' }] },
      { role: 'tool', content: 'found', toolCallId: 'call_9' },
    ],
    tools: [{ name: 'find', parameters: { type: 'object' } }, { name: 'count' }],
    toolChoice: { name: 'find' },
    format: { type: 'schema', name: 'answer', schema: { type: 'object' } },
    temperature: 0, topP: 0.5, topK: 7, maxTokens: 9, stop: ['END'], seed: 4, reasoning: 'high',
  }, signal))
  const { messages, tools, format, options, think } = server.calls().at(-1)!.json!
  assert.deepEqual(messages, [
    { role: 'user', content: 'look', images: ['aGk='] },
    { role: 'assistant', content: '', tool_calls: [{ function: { name: 'find', arguments: { word: 'x' } } }] },
    { role: 'tool', content: 'found', tool_name: 'find' },
  ])
  assert.deepEqual(tools, [{ type: 'function', function: { name: 'find', description: '', parameters: { type: 'object' } } }])
  assert.deepEqual(format, { type: 'object' })
  assert.deepEqual(options, { num_ctx: 8_192, temperature: 0, top_p: 0.5, top_k: 7, num_predict: 9, stop: ['END'], seed: 4 })
  assert.equal(think, undefined, 'a model that cannot think is not asked to')
  await upstream.close()
})

test('a model that can think is told how much', async () => {
  server.install([{ name: 'scripted:latest', capabilities: ['completion', 'thinking'] }, { name: 'oss:20b', family: 'gptoss', capabilities: ['completion', 'thinking'] }])
  const upstream = open()
  const thinkOf = async (model: string, reasoning?: 'none' | 'minimal' | 'high') => {
    await collect(upstream.chat({ ...ask, model, ...(reasoning ? { reasoning } : {}) }, signal))
    return server.calls().at(-1)!.json!['think']
  }
  assert.deepEqual(
    [await thinkOf('scripted:latest'), await thinkOf('scripted:latest', 'none'), await thinkOf('scripted:latest', 'high'), await thinkOf('oss:20b', 'minimal')],
    [undefined, false, true, 'low'],
  )
  server.install([{ name: 'scripted:latest' }])
  await upstream.close()
})

test('a body of the same wire is passed with what changes the answer, room for the conversation, and nothing that steers the daemon', async () => {
  server.install([{ name: 'scripted:latest', contextLength: 40_000 }])
  const upstream = open()
  const messages = [{ role: 'user', content: 'Hello', images: ['aGk='] }]
  const sentFor = async (body: object) => {
    await collect(upstream.chat({ ...ask, native: { wire: 'ollama-chat', body: { model: 'anything', messages, ...body }, headers: {}, stream: false } }, signal))
    return server.calls().at(-1)!.json!
  }
  assert.deepEqual(
    await sentFor({ format: 'json', prompt: 'not here', system: 'nor here', keep_alive: -1, think: true, truncate: true, debug_render_only: true, options: { min_p: 0.1, repeat_penalty: 1.2, num_gpu: 0, num_thread: 64, use_mmap: false, seed: null } }),
    { model: 'scripted:latest', messages, format: 'json', truncate: false, shift: false, stream: false, options: { num_ctx: 8_192, min_p: 0.1, repeat_penalty: 1.2 } },
  )
  const windowFor = async (asked: number) => ((await sentFor({ options: { num_ctx: asked } }))['options'] as { num_ctx: number }).num_ctx
  assert.deepEqual([await windowFor(2_048), await windowFor(20_000), await windowFor(1_000_000)], [8_192, 20_000, 40_000])
  server.install([{ name: 'scripted:latest', capabilities: ['completion', 'thinking'] }])
  await upstream.models()
  assert.deepEqual([(await sentFor({ think: false }))['think'], (await sentFor({ think: 'low' }))['think']], [false, 'low'])
  server.install([{ name: 'scripted:latest' }])
  await upstream.close()
})

test('lines that do not have the shape of an answer are no defect of ours', async () => {
  const upstream = open()
  server.next({ text: ['a'], toolCalls: [undefined as never] })
  await assert.rejects(collect(upstream.chat(ask, signal)), isFault('unavailable', 'upstream.malformed'))
  await upstream.close()
})
