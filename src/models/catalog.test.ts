import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../kernel/fault.ts'
import { createCatalog } from './catalog.ts'
import type { Upstream } from './upstream.ts'

/** An upstream that counts how often it is asked, takes `latency` on the clock, and answers or is silent. */
function counted(name: string, zone: Upstream['zone'], clock: { now: number }) {
  const state = { asked: 0, latency: 1, silent: false }
  const upstream: Upstream = {
    name, zone, listsAll: true,
    // oxlint-disable-next-line require-yield
    async *chat() {
      throw new Error('not here')
    },
    models: async () => {
      state.asked += 1
      clock.now += state.latency
      if (state.silent) throw new Fault('unavailable', 'upstream.unreachable', 'away')
      return [{ name: `model-${state.asked}`, zone, embedding: false }]
    },
    close: async () => {},
  }
  return { upstream, state }
}

test('a list is believed for a while: near ones shortly, those of a cloud long', async () => {
  const clock = { now: 0 }
  const near = counted('near', 'machine', clock)
  const far = counted('far', 'cloud', clock)
  const catalog = createCatalog([near.upstream, far.upstream], () => clock.now)
  const asked = async (at: number) => {
    clock.now = at
    await catalog.list(['near', 'far'])
    return [near.state.asked, far.state.asked]
  }
  assert.deepEqual([await asked(0), await asked(10_000), await asked(20_000), await asked(500_000), await asked(700_000)], [[1, 1], [1, 1], [2, 1], [3, 1], [4, 2]])
})

test('who wants a younger list gets one', async () => {
  const clock = { now: 0 }
  const near = counted('near', 'machine', clock)
  const catalog = createCatalog([near.upstream], () => clock.now)
  await catalog.list(['near'])
  clock.now += 500
  assert.deepEqual([(await catalog.list(['near'], 1_000))[0]?.models?.[0]?.name, (await catalog.list(['near'], 400))[0]?.models?.[0]?.name], ['model-1', 'model-2'])
})

test('a silence that came at once is not believed; one that took long is, for ten times as long', async () => {
  const clock = { now: 0 }
  const near = counted('near', 'machine', clock)
  const catalog = createCatalog([near.upstream], () => clock.now)
  near.state.silent = true
  const [listing] = await catalog.list(['near'])
  assert.deepEqual([listing?.models, listing?.fault?.code], [undefined, 'upstream.unreachable'])
  await catalog.list(['near'])
  assert.equal(near.state.asked, 2)
  near.state.latency = 2_000
  await catalog.list(['near'])
  clock.now += 19_000
  await catalog.list(['near'])
  assert.equal(near.state.asked, 3)
  clock.now += 1_001
  near.state.silent = false
  assert.equal((await catalog.list(['near']))[0]?.models?.length, 1)
})

test('those who ask at once ask once, and an upstream that is not declared is not there', async () => {
  const clock = { now: 0 }
  const near = counted('near', 'machine', clock)
  const catalog = createCatalog([near.upstream], () => clock.now)
  const lists = await Promise.all([1, 2, 3].map(() => catalog.list(['near', 'gone'])))
  assert.deepEqual([near.state.asked, lists.map((list) => list.length)], [1, [1, 1, 1]])
})
