import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

after(async () => {
  await Promise.all(gates.map(({ gate }) => gate.stop()))
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'theirs' }] })
const database = await gateDatabase(['it'])
const gates = [
  { zone: 'machine', gate: await startGate(database, 'gate-local', { upstreams: [{ name: 'it', kind: 'openai', url: `${server.url}/v1`, zone: 'machine' }] }) },
  { zone: 'mesh', gate: await startGate(database, 'gate-local', { upstreams: [{ name: 'it', kind: 'openai', url: `${server.url}/v1`, zone: 'mesh' }] }) },
  { zone: 'cloud', gate: await startGate(database, 'gate-cloud', { upstreams: [{ name: 'it', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud' }] }) },
] as const

async function post(address: string, path: string, body: object, key?: string): Promise<{ status: number; upstream: string | null; text: string }> {
  const response = await fetch(`${address}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
    body: JSON.stringify(body),
  })
  return { status: response.status, upstream: response.headers.get('x-castellan-upstream'), text: await response.text() }
}

for (const { zone, gate } of gates) {
  for (const body of [{}, { stream: true }, { stream: true, stream_options: { include_usage: true } }] as const) {
    test(`what an upstream of zone ${zone} says on the same wire is what the client reads, and is in the ledger: ${JSON.stringify(body)}`, async () => {
      const { key, run } = await openRun(database, 'open')
      server.answer({ text: ['Grüße, ', '🦊'], toolCalls: [{ name: 'find', arguments: { word: 'ü' } }], usage: { input: 21, output: 4 }, quirks: ['content-in-first-delta'] })
      const asked = { messages: [{ role: 'user', content: 'Hello' }], ...body }
      const direct = await post(server.url, '/v1/chat/completions', { ...asked, model: 'theirs' })
      const through = await post(gate.address, '/v1/chat/completions', { ...asked, model: 'it/theirs' }, key)
      assert.deepEqual(through, { ...direct, upstream: 'it' })
      const [row, ...others] = await closedCallsOf(database, run)
      assert.deepEqual([row?.state, row?.input_tokens, row?.output_tokens, others.length], ['succeeded', 21, 4, 0])
    })
  }
}

test('an error inside a passed stream is told once, by the upstream', async () => {
  const { key, run } = await openRun(database, 'open')
  server.next({ text: ['half'], misbehaves: { kind: 'error', after: 1, message: 'out of memory' }, quirks: ['content-in-first-delta'] })
  const { text } = await post(gates[0].gate.address, '/v1/chat/completions', { model: 'it/theirs', messages: [{ role: 'user', content: 'Hello' }], stream: true }, key)
  assert.equal(text.split('\n\n').filter((event) => event.includes('"error"')).length, 1)
  assert.match(text, /out of memory/)
  assert.deepEqual((await closedCallsOf(database, run)).map(({ state, reason }) => [state, reason]), [['failed', 'upstream.failed']])
})

test('a passed stream that breaks off ends with an error of the gate’s own', async () => {
  const { key } = await openRun(database, 'open')
  server.next({ text: ['half'], misbehaves: { kind: 'cut', after: 1 } })
  const { text } = await post(gates[0].gate.address, '/v1/chat/completions', { model: 'it/theirs', messages: [{ role: 'user', content: 'Hello' }], stream: true }, key)
  assert.match(text, /data: \{"error":\{[^\n]*ended its answer before it was done[^\n]*\}\n\n$/)
})
