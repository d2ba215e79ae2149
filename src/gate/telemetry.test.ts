import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gateDatabase, openRun, startGate } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'
import { startCollector } from '../../test/support/trace-collector.ts'

after(() => server.close())
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const database = await gateDatabase(['ollama'])
const models = { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }] } as const

async function ask(address: string, key: string, content: string): Promise<number> {
  const response = await fetch(`${address}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', temperature: 0.5, messages: [{ role: 'user', content }] }),
  })
  await response.arrayBuffer()
  return response.status
}

/** Gates send what waits when they stop. */
async function traced(zone: 'machine' | 'cloud', content: boolean, level: 1 | 2 | 3, collector: Awaited<ReturnType<typeof startCollector>>) {
  const gate = await startGate(database, 'gate-local', models, { TRACE_KEY: 'Basic abc' }, { url: collector.url, zone, content, authorization: { secret: 'TRACE_KEY' } })
  const { key, run } = await openRun(database, 'private', level)
  const status = await ask(gate.address, key, 'canary-in-the-question')
  await gate.stop()
  await collector.close()
  return { run, status }
}

test('a call is a span by the conventions for generative AI, in the trace of its run, without what was said', async () => {
  const collector = await startCollector()
  server.next({ text: ['canary-in-the-answer'], usage: { input: 11, output: 3 } })
  const { run } = await traced('machine', false, 3, collector)
  const [span] = collector.spans
  assert.ok(span)
  assert.deepEqual([span.name, span.traceId], ['chat scripted:latest', run.replaceAll('-', '')])
  const attributes = span.attributes
  assert.deepEqual(
    ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.request.temperature', 'gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens', 'castellan.label', 'castellan.state'].map((name) => attributes[name]),
    ['chat', 'ollama', 'scripted:latest', 0.5, 11, 3, 'P3', 'succeeded'],
  )
  assert.doesNotMatch(collector.bytes(), /canary/)
  assert.equal(collector.authorization(), 'Basic abc')
})

test('what was asked and answered is told when the operator wants it, to where its label may go', async () => {
  const collector = await startCollector()
  server.next({ text: ['canary-', 'in-the-answer'] })
  await traced('machine', true, 3, collector)
  assert.match(String(collector.spans[0]?.attributes['gen_ai.input.messages']), /canary-in-the-question/)
  assert.match(String(collector.spans[0]?.attributes['gen_ai.output.messages']), /canary-in-the-answer/)
})

test('where its label may not go, not even that there was a call is told', async () => {
  const collector = await startCollector()
  assert.deepEqual([(await traced('cloud', true, 2, collector)).status, collector.spans, collector.bytes()], [200, [], ''])
})

test('a collector that is away keeps no call and no stop waiting', { timeout: 20_000 }, async () => {
  const collector = await startCollector()
  await collector.close()
  const gate = await startGate(database, 'gate-local', models, {}, { url: collector.url, zone: 'machine', content: false })
  const { key } = await openRun(database, 'private')
  assert.equal(await ask(gate.address, key, 'Hello'), 200)
  await gate.stop()
})

test('a failed call is a failed span, and metrics count both ends', async () => {
  const collector = await startCollector()
  const gate = await startGate(database, 'gate-local', models, {}, { url: collector.url, zone: 'machine', content: false })
  const { key } = await openRun(database, 'private')
  server.next({ misbehaves: { kind: 'status', status: 500 } })
  assert.equal(await ask(gate.address, key, 'Hello'), 503)
  server.next({ text: ['fine'], usage: { input: 5, output: 2 } })
  assert.equal(await ask(gate.address, key, 'Hello'), 200)
  const metrics = await fetch(`${gate.address}/metrics`)
  const text = await metrics.text()
  await gate.stop()
  await collector.close()
  assert.match(metrics.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
  for (const line of [
    'castellan_model_calls_total{upstream="ollama",model="scripted:latest",task="chat",state="failed",reason="upstream.failed"} 1',
    'castellan_model_calls_total{upstream="ollama",model="scripted:latest",task="chat",state="succeeded",reason=""} 1',
    'castellan_model_tokens_total{upstream="ollama",model="scripted:latest",direction="input"} 5',
    'castellan_model_call_seconds_count{upstream="ollama",model="scripted:latest"} 2',
    'castellan_model_calls_in_flight 0',
  ]) assert.ok(text.includes(`${line}\n`), `${line}\n${text}`)
  assert.deepEqual(collector.spans.map((span) => [span.attributes['castellan.state'], span.attributes['error.type'], span.status.code]), [['failed', 'upstream.failed', 2], ['succeeded', undefined, 0]])
})
