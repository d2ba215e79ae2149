import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { closedCallsOf, gateDatabase, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'
import { openTestRun, takeOver, type TestRun } from '../../../test/support/tool-run.ts'
import type { RouteTarget, Settings } from '../../house/index.ts'
import { connectGate, createModels, type Gates } from './create-models.ts'

// before the database's own hook, so that the gates stop first
after(async () => {
  await Promise.all([gates.local.close(), gates.cloud.close(), nowhere.close()])
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
})
const near = await startModelServer({ models: [{ name: 'small:latest' }] })
const far = await startModelServer({ models: [{ name: 'large' }], key: 'far-key-value' })
const database = await gateDatabase(['ollama', 'far'])
const upstreams: Settings['models']['upstreams'] = [
  { name: 'ollama', kind: 'ollama', url: near.url, zone: 'machine' },
  { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud', key: { secret: 'FAR_KEY' } },
]
const toNear: RouteTarget = { upstream: 'ollama', model: 'auto' }
const toFar: RouteTarget = { upstream: 'far', model: 'large' }
const settings: Settings['models'] = { upstreams, routes: { near: [toNear], far: [toFar], 'far-near': [toFar, toNear], 'near-far': [toNear, toFar] } }
const local = await startGate(database, 'gate-local', settings)
const cloud = await startGate(database, 'gate-cloud', settings, { FAR_KEY: 'far-key-value' })
const gates = { local: connectGate(local.socket), cloud: connectGate(cloud.socket) }
const nowhere = connectGate('/nowhere/gate.sock')

beforeEach(async () => {
  for (const server of [near, far]) await server.up().catch(() => undefined)
})

function ask(here: TestRun, task: string, through: Gates = gates) {
  const models = createModels({ database: database.as('castellan_worker_private'), gates: through, settings, ...here })
  return models.ask({ task, prompt: 'Good morning?', signal: new AbortController().signal })
}
const openRun = () => openTestRun(database, { lane: 'open' })
const asked = async (here: TestRun) => (await closedCallsOf(database, here.run.id)).map(({ gate, upstream, state }) => [gate, upstream, state])

test('a run of the open lane has its answer from a local model, without any word to the cloud', async () => {
  const here = await openRun()
  const before = far.bytes().length
  assert.equal((await ask(here, 'near')).model, 'ollama/small:latest')
  assert.equal((await ask(here, 'near-far')).model, 'ollama/small:latest')
  assert.equal(far.bytes().length, before)
  assert.deepEqual(await asked(here), [['local', 'ollama', 'succeeded'], ['local', 'ollama', 'succeeded']])
})

test('the gate that the route comes to first is asked first, and the other not at all when it answers', async () => {
  const here = await openRun()
  const before = near.bytes().length
  assert.equal((await ask(here, 'far-near')).model, 'far/large')
  assert.equal(near.bytes().length, before)
  assert.deepEqual(await asked(here), [['cloud', 'far', 'succeeded']])
})

test('a cloud that is down is followed by the local model of the route', async () => {
  const here = await openRun()
  await far.down()
  assert.equal((await ask(here, 'far-near')).model, 'ollama/small:latest')
  assert.deepEqual(await asked(here), [['cloud', 'far', 'failed'], ['local', 'ollama', 'succeeded']])
})

test('so is a cloud gate that does not answer, and a local model that is down by the cloud', async () => {
  assert.equal((await ask(await openRun(), 'far-near', { ...gates, cloud: nowhere })).model, 'ollama/small:latest')
  await near.down()
  assert.equal((await ask(await openRun(), 'near-far')).model, 'far/large')
})

test('a label that the cloud gate refuses is followed by the local model, and the cloud hears nothing', async () => {
  const here = await openTestRun(database, { lane: 'open', level: 2 })
  const before = far.bytes().length
  assert.equal((await ask(here, 'far-near')).model, 'ollama/small:latest')
  assert.equal(far.bytes().length, before)
  assert.deepEqual(await asked(here), [['cloud', null, 'refused'], ['local', 'ollama', 'succeeded']])
})

test('a cloud model for which the budget has no room is followed by the local model, and the cloud hears nothing', async () => {
  const poor = await startGate(database, 'gate-cloud', { ...settings, spending: { budgets: [{ per: 'day', eur: 0 }], prices: { large: { input: 1, output: 1 } } } }, { FAR_KEY: 'far-key-value' })
  const through = { local: gates.local, cloud: connectGate(poor.socket) }
  const here = await openRun()
  const before = far.bytes().length
  assert.equal((await ask(here, 'far-near', through)).model, 'ollama/small:latest')
  await assert.rejects(ask(here, 'far', through), { kind: 'refused', code: 'budget_exceeded' })
  assert.equal(far.bytes().length, before)
  assert.deepEqual(await asked(here), [['cloud', null, 'refused'], ['local', 'ollama', 'succeeded'], ['cloud', null, 'refused']])
  await through.cloud.close()
  await poor.stop()
})

test('a private run reaches no cloud by any route: its worker has one gate, and the other would refuse its session', async () => {
  const before = far.bytes().length
  for (const level of [0, 1, 2] as const) {
    for (const task of ['far', 'far-near', 'near', 'near-far', 'unrouted']) {
      const here = await openTestRun(database, { level })
      await ask(here, task, { local: gates.local }).catch((fault: { kind: string }) => assert.notEqual(fault.kind, 'internal'))
      assert.ok((await asked(here)).every(([gate]) => gate === 'local'))
      await ask(here, task).catch((fault: { kind: string }) => assert.notEqual(fault.kind, 'internal'))
      await assert.rejects(ask(here, 'far'), { kind: 'refused', message: /executed by the private worker/ })
    }
  }
  assert.equal(far.bytes().length, before)
})

test('when all fail, it is said what each gate said', async () => {
  const here = await openRun()
  await Promise.all([near.down(), far.down()])
  await assert.rejects(ask(here, 'far-near'), {
    kind: 'unavailable', code: 'model.none', message: /^gate cloud: upstream far cannot be reached .*; gate local: .*ollama/,
    details: { gates: [{ gate: 'cloud', code: 'upstream.unreachable' }, { gate: 'local', code: 'upstream.unreachable' }] },
  })
  await assert.rejects(ask(here, 'near'), { kind: 'unavailable', code: 'upstream.unreachable' })
})

test('a gate that says the request or the session is at fault is not followed by another', async () => {
  far.next({ misbehaves: { kind: 'status', status: 400, message: 'too long' } })
  const here = await openRun()
  await assert.rejects(ask(here, 'far-near'), { kind: 'invalid', code: 'upstream.rejected' })
  assert.deepEqual(await asked(here), [['cloud', 'far', 'failed']])
  const lost = await openRun()
  await takeOver(database.owner, lost.run.id)
  await assert.rejects(ask(lost, 'far-near'), { kind: 'conflict' })
  assert.deepEqual(await asked(lost), [])
})
