import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { startModelServer } from './model-server.ts'

// The script is honest when the official clients understand it.
const server = await startModelServer({ models: [{ name: 'scripted:latest' }, { name: 'nomic-embed-text:latest', family: 'nomic-bert' }] })
after(() => server.close())
const ollama = new Ollama({ host: server.url })
const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Hello' }]
const tools = [{ name: 'find', arguments: { word: 'x' } }]

test('the ollama client lists, describes, and chats with it', async () => {
  assert.deepEqual((await ollama.list()).models.map((model) => [model.name, model.details.family]), [['scripted:latest', 'llama'], ['nomic-embed-text:latest', 'nomic-bert']])
  assert.deepEqual((await ollama.show({ model: 'scripted:latest' })).capabilities, ['completion', 'tools'])
  server.next({ thinking: ['hm'], text: ['a', 'b'], toolCalls: tools, usage: { input: 5, output: 6 } })
  const whole = await ollama.chat({ model: 'scripted:latest', messages })
  assert.deepEqual([whole.message.content, whole.message.thinking, whole.message.tool_calls?.[0]?.function, whole.done_reason, whole.eval_count], ['ab', 'hm', tools[0], 'stop', 6])
})

test('the ollama client streams from it, tool calls before the end', async () => {
  server.next({ text: ['a', 'b'], toolCalls: tools })
  const parts = []
  for await (const part of await ollama.chat({ model: 'scripted:latest', messages, stream: true })) parts.push(part)
  assert.deepEqual(parts.map((part) => [part.message.content, part.message.tool_calls?.length ?? 0, part.done]), [['a', 0, false], ['b', 0, false], ['', 1, false], ['', 0, true]])
})

test('the ollama client hears of its errors', async () => {
  await assert.rejects(ollama.chat({ model: 'gone', messages }), /model 'gone' not found/)
  server.next({ text: ['a'], misbehaves: { kind: 'error', after: 1, message: 'out of memory' } })
  await assert.rejects(async () => {
    for await (const _ of await ollama.chat({ model: 'scripted:latest', messages, stream: true }));
  }, /out of memory/)
})

test('the openai client lists and chats with it', async () => {
  assert.deepEqual((await openai.models.list()).data.map((model) => model.id), ['scripted:latest', 'nomic-embed-text:latest'])
  server.next({ text: ['a', 'b'], toolCalls: tools, usage: { input: 5, output: 6 } })
  const whole = await openai.chat.completions.create({ model: 'scripted:latest', messages })
  assert.deepEqual([whole.choices[0]?.message.content, whole.choices[0]?.finish_reason, whole.usage?.total_tokens], ['ab', 'tool_calls', 11])
})

test('the openai client puts its stream together', async () => {
  server.next({ text: ['a', 'b'], toolCalls: tools })
  const stream = openai.chat.completions.stream({ model: 'scripted:latest', messages, stream_options: { include_usage: true } })
  const whole = await stream.finalChatCompletion()
  const call = whole.choices[0]?.message.tool_calls?.[0]
  assert.deepEqual([whole.choices[0]?.message.content, call?.type === 'function' && call.function.arguments, whole.usage?.prompt_tokens], ['ab', '{"word":"x"}', 7])
})

test('every byte that arrives is kept', async () => {
  await openai.chat.completions.create({ model: 'scripted:latest', messages: [{ role: 'user', content: 'canary-7f3a' }] }, { headers: { 'x-canary': 'header-7f3a' } })
  assert.ok(server.bytes().includes('canary-7f3a') && server.bytes().includes('header-7f3a'))
})

test('it can be away and come back on the same address', async () => {
  await server.down()
  await assert.rejects(openai.models.list(), OpenAI.APIConnectionError)
  await server.up()
  assert.equal((await openai.models.list()).data.length, 2)
})
