import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import OpenAI from 'openai'
import { LengthFinishReasonError } from 'openai/error'
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

// before the database's own hook, so that the gates stop first
after(async () => {
  await Promise.all([near.stop(), far.stop()])
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const database = await gateDatabase(['ollama', 'cloud', 'newer'])
const near = await startGate(database, 'gate-local', { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }] })
const far = await startGate(database, 'gate-cloud', {
  upstreams: [{ name: 'cloud', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud' }, { name: 'newer', kind: 'openai-responses', url: `${server.url}/v1`, zone: 'cloud' }],
})
beforeEach(() => server.answer({ text: ['Good ', 'morning.'], usage: { input: 11, output: 3 } }))

const ways = [
  { gate: near, lane: 'private', model: 'ollama/scripted:latest' },
  { gate: far, lane: 'open', model: 'cloud/scripted:latest' },
  { gate: far, lane: 'open', model: 'newer/scripted:latest' },
] as const
const clientOf = (gate: { address: string }, apiKey: string) => new OpenAI({ baseURL: `${gate.address}/v1`, apiKey, maxRetries: 0 })
const messages = [{ role: 'developer' as const, content: 'Be terse.' }, { role: 'user' as const, content: 'Hello' }]
const place = z.object({ city: z.string() })

for (const { gate, lane, model } of ways) {
  test(`${model}: whole, with the newer name of the limit and the developer's role`, async () => {
    const { key, run } = await openRun(database, lane)
    const whole = await clientOf(gate, key).chat.completions.create({ model, messages, max_completion_tokens: 50, reasoning_effort: 'low', store: true, metadata: { a: 'b' }, user: 'me' })
    assert.deepEqual([whole.choices[0]?.message.content, whole.choices[0]?.message.refusal ?? null, whole.choices[0]?.finish_reason, whole.usage?.total_tokens], ['Good morning.', null, 'stop', 14])
    assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.input_tokens, row.output_tokens]), [['succeeded', 11, 3]])
    const sent = server.calls().at(-1)!.json!
    for (const field of ['metadata', 'user']) assert.ok(!(field in sent), field)
    assert.ok(sent['store'] === undefined || sent['store'] === false)
  })

  test(`${model}: streamed, with the first delta, no empty tool calls and the usage last, without a choice`, async () => {
    const { key } = await openRun(database, lane)
    server.next({ text: ['Good ', 'morning.'], usage: { input: 11, output: 3 }, quirks: ['content-in-first-delta'] })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of await clientOf(gate, key).chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } })) chunks.push(chunk)
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), 'Good morning.')
    assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant')
    assert.ok(chunks.every((chunk) => chunk.choices.every(({ delta }) => !('tool_calls' in delta))))
    assert.deepEqual([chunks.at(-1)?.choices, chunks.at(-1)?.usage?.total_tokens], [[], 14])
  })

  test(`${model}: calls of tools streamed and parsed by their schema`, async () => {
    const { key } = await openRun(database, lane)
    const tools = [zodFunction({ name: 'find', parameters: z.object({ word: z.string() }) })]
    server.answer({ toolCalls: [{ name: 'find', arguments: { word: 'ä' } }, { name: 'find', arguments: { word: 'b' } }] })
    const streamed = await clientOf(gate, key).chat.completions.stream({ model, messages, tools }).finalChatCompletion()
    const parsed = await clientOf(gate, key).chat.completions.parse({ model, messages, tools })
    for (const { choices: [choice] } of [streamed, parsed]) {
      assert.equal(choice?.finish_reason, 'tool_calls')
      assert.deepEqual(choice.message.tool_calls?.map((call) => call.type === 'function' && call.function.parsed_arguments), [{ word: 'ä' }, { word: 'b' }])
    }
  })

  test(`${model}: an answer parsed by its schema`, async () => {
    const { key } = await openRun(database, lane)
    server.next({ text: ['{"city":', '"Wien"}'] })
    const parsed = await clientOf(gate, key).chat.completions.parse({ model, messages, response_format: zodResponseFormat(place, 'place') })
    assert.deepEqual(parsed.choices[0]?.message.parsed, { city: 'Wien' })
    assert.match(server.calls().at(-1)!.body.toString(), /"city"/)
    server.next({ text: ['{"city":'], finish: 'length' })
    await assert.rejects(clientOf(gate, key).chat.completions.parse({ model, messages, response_format: zodResponseFormat(place, 'place') }), LengthFinishReasonError)
  })
}

test('what a model refused with stays in the conversation', async () => {
  const { key } = await openRun(database, 'private')
  await clientOf(near, key).chat.completions.create({ model: 'auto', messages: [...messages, { role: 'assistant', content: null, refusal: 'I will not.' }, { role: 'user', content: 'Why?' }] })
  assert.match(server.calls().at(-1)!.body.toString(), /I will not\./)
})

test('one model is told by its name, slash and all, and one that the key does not reach is not there', async () => {
  const { key } = await openRun(database, 'private', 3)
  const client = clientOf(near, key)
  assert.deepEqual((({ id, object, owned_by }) => [id, object, owned_by])(await client.models.retrieve('ollama/scripted:latest')), ['ollama/scripted:latest', 'model', 'ollama'])
  assert.equal((await client.models.retrieve('auto')).id, 'auto')
  const plain = await fetch(`${near.address}/v1/models/ollama/scripted:latest`, { headers: { authorization: `Bearer ${key}` } })
  assert.equal(plain.status, 200)
  await assert.rejects(client.models.retrieve('cloud/scripted:latest'), OpenAI.NotFoundError)
})
