import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

after(async () => {
  await Promise.all(gates.map(({ gate }) => gate.stop()))
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'theirs' }] })
const database = await gateDatabase(['it'])
const it = { name: 'it', kind: 'openai-responses', url: `${server.url}/v1` } as const
const gates = [
  { zone: 'machine', gate: await startGate(database, 'gate-local', { upstreams: [{ ...it, zone: 'machine' }] }) },
  { zone: 'cloud', gate: await startGate(database, 'gate-cloud', { upstreams: [{ ...it, zone: 'cloud' }] }) },
] as const
const answer = { thinking: ['hm'], text: ['Grüße, ', '🦊'], toolCalls: [{ name: 'find', arguments: { word: 'ü' } }], usage: { input: 21, output: 4 }, quirks: ['in-small-pieces'] } as const

async function post(address: string, path: string, body: object, key?: string): Promise<{ status: number; upstream: string | null; text: string }> {
  const response = await fetch(`${address}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
    body: JSON.stringify(body),
  })
  return { status: response.status, upstream: response.headers.get('x-castellan-upstream'), text: await response.text() }
}

for (const { zone, gate } of gates) {
  for (const stream of [false, true]) {
    test(`what an upstream of zone ${zone} says on the same wire is what the client reads, and is in the ledger: ${stream ? 'streamed' : 'whole'}`, async () => {
      const { key, run } = await openRun(database, 'open')
      server.answer(answer)
      const asked = { input: 'Hello', store: false, include: ['reasoning.encrypted_content'], stream }
      const direct = await post(server.url, '/v1/responses', { ...asked, model: 'theirs' })
      const through = await post(gate.address, '/v1/responses', { ...asked, model: 'it/theirs' }, key)
      assert.deepEqual([through.status, through.upstream, through.text], [200, 'it', direct.text])
      assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.input_tokens, row.output_tokens]), [['succeeded', 21, 4]])
    })
  }

  test(`chat completions are answered by an upstream of responses too, zone ${zone}`, async () => {
    const { key } = await openRun(database, 'open')
    server.answer(answer)
    const client = new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: key, maxRetries: 0 })
    const streamed = await client.chat.completions.stream({ model: 'it/theirs', messages: [{ role: 'user', content: 'Hello' }], stream_options: { include_usage: true } }).finalChatCompletion()
    const [choice] = streamed.choices
    assert.deepEqual([choice?.message.content, choice?.finish_reason, streamed.usage?.total_tokens], ['Grüße, 🦊', 'tool_calls', 25])
    assert.deepEqual(choice?.message.tool_calls?.map((call) => call.type === 'function' && [call.function.name, call.function.arguments]), [['find', '{"word":"ü"}']])
    assert.equal(server.calls().at(-1)!.json!['store'], false)
  })
}

test('the official client reads a passed stream to its end', async () => {
  const { key } = await openRun(database, 'open')
  server.answer(answer)
  const response = await new OpenAI({ baseURL: `${gates[1].gate.address}/v1`, apiKey: key, maxRetries: 0 }).responses.stream({ model: 'it/theirs', input: 'Hello' }).finalResponse()
  assert.deepEqual([response.status, response.output_text, response.usage?.total_tokens], ['completed', 'Grüße, 🦊', 25])
})

test('a passed stream that breaks off ends with events of the gate’s own, numbered on', async () => {
  const { key } = await openRun(database, 'open')
  server.next({ text: ['half'], misbehaves: { kind: 'cut', after: 1 } })
  const { text } = await post(gates[0].gate.address, '/v1/responses', { model: 'it/theirs', input: 'Hello', stream: true }, key)
  const events = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]!) as { type: string; sequence_number: number })
  assert.deepEqual(events.map(({ sequence_number: number }) => number), events.map((_, index) => index))
  assert.deepEqual(events.slice(-2).map(({ type }) => type), ['error', 'response.failed'])
  assert.ok(events.length > 5)
})
