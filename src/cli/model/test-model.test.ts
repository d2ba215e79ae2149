import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer, type LoggedRequest, type ScriptedAnswer } from '../../../test/support/model-server.ts'
import { testModel } from './test-model.ts'

// before the database's own hook, so that the gate stops first
after(async () => {
  await gate.stop()
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const database = await gateDatabase(['ollama'])
const gate = await startGate(database, 'gate-local', { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }] })

/** A model that can do everything: what it is asked for is in the shape of the request. */
function able({ json }: LoggedRequest): ScriptedAnswer {
  const message = (json!['messages'] as { images?: string[] }[])[0]!
  if (json!['tools'] !== undefined) return { toolCalls: [{ name: 'report', arguments: { word: 'ready' } }] }
  if (json!['format'] !== undefined) return { text: ['{"ready":', 'true}'] }
  if (message.images !== undefined) return { text: [Buffer.from(message.images[0]!, 'base64').subarray(1, 4).toString() === 'PNG' ? 'Red.' : 'What?'] }
  return { text: ['one, ', 'two, ', 'three'] }
}

test('a model that can do everything is told to, with how long its first piece took', async () => {
  server.answer(able)
  const { key, run } = await openRun(database, 'private', 1)
  const { abilities, state, answered_by, first_piece_ms } = await testModel({ address: gate.address, key }, 'ollama/scripted:latest')
  const works = { works: true, why: null }
  assert.deepEqual(abilities, { streaming: works, tools: works, structured: works, images: works })
  assert.deepEqual([state, answered_by], ['answered', 'ollama/scripted:latest'])
  assert.ok(first_piece_ms !== null && first_piece_ms >= 0)
  assert.deepEqual((await closedCallsOf(database, run)).map(({ task, state: closed }) => `${task} ${closed}`), Array(4).fill('model-test succeeded'))
})

test('one that only talks is told what it did instead', async () => {
  server.answer({ text: ['I am ready.'] })
  const { key } = await openRun(database, 'private', 1)
  const { abilities, state } = await testModel({ address: gate.address, key }, 'ollama/scripted:latest')
  assert.deepEqual(Object.values(abilities).map(({ works }) => works), [false, false, false, false])
  assert.equal(state, 'answered')
  assert.deepEqual(Object.values(abilities).map(({ why }) => why), [
    'the answer came in one piece', 'it called no tool', 'the answer does not follow the schema', 'it did not see that the picture is red',
  ])
})

test('what the upstream refuses is told in its words, and the rest is still tried', async () => {
  server.answer((request) => (request.json!['tools'] !== undefined ? { misbehaves: { kind: 'status', status: 400, message: 'does not support tools' } } : able(request)))
  const { key } = await openRun(database, 'private', 1)
  const { abilities } = await testModel({ address: gate.address, key }, 'ollama/scripted:latest')
  assert.deepEqual(Object.entries(abilities).filter(([, { works }]) => works).map(([name]) => name), ['streaming', 'structured', 'images'])
  assert.match(abilities.tools.why ?? '', /does not support tools/)
})

test('a stream that breaks off, and a model that is not there, are failures with a reason', async () => {
  const { key } = await openRun(database, 'private', 1)
  server.answer({ text: ['one', 'two', 'three'], misbehaves: { kind: 'die', after: 2 } })
  const broken = await testModel({ address: gate.address, key }, 'ollama/scripted:latest')
  assert.equal(broken.state, 'failed')
  assert.ok(Object.values(broken.abilities).every(({ works, why }) => !works && why))
  const missing = await testModel({ address: gate.address, key }, 'ollama/nothing')
  assert.deepEqual([missing.state, missing.answered_by, missing.first_piece_ms], ['failed', null, null])
})

test('a gate that is not there, or a key that opens nothing, says nothing about the model', async () => {
  await assert.rejects(testModel({ address: 'http://127.0.0.1:1', key: 'x' }, 'm'), { code: 'gate.unreachable' })
  await assert.rejects(testModel({ address: gate.address, key: `cst_${'0'.repeat(64)}` }, 'm'), { code: 'session_unknown' })
})
