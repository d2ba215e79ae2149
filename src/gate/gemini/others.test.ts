import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

after(async () => {
  await gate.stop()
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'gemini-3-pro' }], key: 'key-of-google' })
const database = await gateDatabase(['google'])
const gate = await startGate(database, 'gate-cloud', { upstreams: [{ name: 'google', kind: 'gemini', url: `${server.url}/v1beta`, zone: 'cloud', key: { secret: 'GOOGLE' } }] }, { GOOGLE: 'key-of-google' })
const model = 'google/gemini-3-pro'
const openaiOf = (apiKey: string) => new OpenAI({ baseURL: `${gate.address}/v1`, apiKey, maxRetries: 0 })
const look = { toolCalls: [{ name: 'look', arguments: { at: 'ä' } }, { name: 'look', arguments: { at: 'b' } }], usage: { input: 12, output: 4 } }
const sent = () => server.calls().at(-1)!.json as { contents: { role: string; parts: object[] }[] }

test('a client of OpenAI’s wire calls tools of a model of Google’s, and their results go back with what it asks for', async () => {
  const { key, run } = await openRun(database, 'open')
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'system', content: 'S' }, { role: 'user', content: 'Hello' }]
  const asked = { model, messages, tools: [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' } } } } }], reasoning_effort: 'low' as const }
  for (const stream of [false, true]) {
    server.next({ ...look, thinking: ['Hm'], usage: { input: 12, output: 9 }, quirks: ['in-small-pieces'] })
    const client = openaiOf(key)
    const answer = stream ? await client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } }).finalChatCompletion() : await client.chat.completions.create(asked)
    const { message, finish_reason: finish } = answer.choices[0]!
    assert.deepEqual([finish, answer.usage?.prompt_tokens, answer.usage?.completion_tokens, answer.usage?.completion_tokens_details?.reasoning_tokens], ['tool_calls', 12, 9, 5])
    const calls = message.tool_calls!.map((call) => (call.type === 'function' ? call : undefined)!)
    assert.deepEqual(calls.map(({ function: { arguments: json } }) => JSON.parse(json) as unknown), [{ at: 'ä' }, { at: 'b' }])
    server.next({ text: ['Seen.'] })
    const tool_calls = calls.map(({ id, type, function: { name, arguments: json } }) => ({ id, type, function: { name, arguments: json } }))
    const second = await client.chat.completions.create({ ...asked, messages: [...messages, { role: 'assistant', tool_calls }, ...calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'there' }))] })
    assert.equal(second.choices[0]?.message.content, 'Seen.')
    assert.deepEqual(sent().contents.map(({ role, parts }) => [role, parts.length]), [['user', 1], ['model', 2], ['user', 2]])
    assert.deepEqual(sent().contents[2]!.parts[1], { functionResponse: { id: calls[1]!.id, name: 'look', response: { output: 'there' } } })
  }
  assert.ok((await closedCallsOf(database, run)).every(({ state }) => state === 'succeeded'))
})

test('a client of Anthropic’s wire does too, and sees what the model thinks without a signature', async () => {
  const { key } = await openRun(database, 'open')
  const client = new Anthropic({ baseURL: gate.address, apiKey: key, maxRetries: 0 })
  const asked = { model, max_tokens: 9_000, thinking: { type: 'enabled' as const, budget_tokens: 2_000 }, messages: [{ role: 'user' as const, content: 'Hello' }], tools: [{ name: 'look', input_schema: { type: 'object' as const } }] }
  server.next({ ...look, thinking: ['Hm'], text: ['I look.'] })
  const message = await client.messages.stream(asked).finalMessage()
  assert.deepEqual(message.content.map((block) => (block.type === 'thinking' ? [block.thinking, block.signature] : block.type === 'tool_use' ? block.input : block.type)), [['Hm', ''], 'text', { at: 'ä' }, { at: 'b' }])
  const results = message.content.flatMap((block) => (block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'gone', is_error: true }] : []))
  server.next({ text: ['Well.'] })
  await client.messages.create({ ...asked, messages: [...asked.messages, { role: 'assistant', content: message.content }, { role: 'user', content: results }] })
  assert.deepEqual(sent().contents[1]!.parts.map((part) => Object.keys(part)), [['text'], ['functionCall', 'thoughtSignature'], ['functionCall']])
  assert.deepEqual((sent().contents[2]!.parts[0] as { functionResponse: object }).functionResponse, { id: results[0]!.tool_use_id, name: 'look', response: { error: 'gone' } })
})

test('what Google refuses is told in the words of each client, with the wait that stands in Google’s body', async () => {
  const { key } = await openRun(database, 'open')
  const ask = () => openaiOf(key).chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }] })
  server.next({ misbehaves: { kind: 'status', status: 429, retryAfter: 6.5 } })
  await assert.rejects(ask(), (error) => error instanceof OpenAI.RateLimitError && error.headers.get('retry-after') === '7')
  gate.forget()
  server.next({ misbehaves: { kind: 'status', status: 400, message: 'Function calling is not enabled' } })
  await assert.rejects(ask(), (error) => error instanceof OpenAI.BadRequestError && /Function calling/.test(error.message))
  server.next({ text: ['half'], misbehaves: { kind: 'error', after: 1, message: 'high demand' } })
  await assert.rejects(openaiOf(key).chat.completions.stream({ model, messages: [{ role: 'user', content: 'Hello' }] }).finalChatCompletion(), /high demand/)
})
