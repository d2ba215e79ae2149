import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryBlocks, playHistory, anyHistory, type History } from './history.arbitrary.ts'
import { createPurse } from './purse.ts'

const eur = 1_000_000_000
const ceiling = (limit: number, name = 'day', per: 'day' | 'month' = 'day') => ({ name, per, limit })

test('a block is asked for once, and calls draw from it without asking', async () => {
  const store = memoryBlocks()
  const purse = createPurse({ store, blockSize: eur / 2, now: () => 0, onError: assert.ifError })
  const draws = await Promise.all(Array.from({ length: 50 }, () => purse.draw([ceiling(5)], eur / 100)))
  assert.ok(draws.every(({ outcome }) => outcome === 'drawn'))
  assert.equal(store.asked(), 1)
})

test('calls that hold much and cost little share a few blocks, ten at a time', async () => {
  const store = memoryBlocks()
  const purse = createPurse({ store, blockSize: eur / 2, now: () => 0, onError: assert.ifError })
  for (let round = 0; round < 50; round += 1) {
    const draws = await Promise.all(Array.from({ length: 10 }, () => purse.draw([ceiling(1_000)], eur)))
    for (const drawn of draws) {
      assert.ok(drawn.outcome === 'drawn')
      drawn.draw.settle(eur / 1_000)
    }
  }
  assert.ok(store.asked() <= 4, `${store.asked()} blocks`)
})

test('what other blocks have and do not need is given back before a call is held back', async () => {
  const store = memoryBlocks()
  const purse = createPurse({ store, blockSize: eur / 2, now: () => 0, onError: assert.ifError })
  const all = ceiling(1)
  for (const lane of ['a', 'b']) {
    const drawn = await purse.draw([all, ceiling(9, `day lane ${lane}`)], eur / 10)
    assert.ok(drawn.outcome === 'drawn')
  }
  const third = await purse.draw([all, ceiling(9, 'day lane c')], (eur * 8) / 10)
  assert.equal(third.outcome, 'drawn')
  const fourth = await purse.draw([all], 1)
  assert.ok(fourth.outcome === 'exceeded')
  assert.deepEqual([fourth.ceiling, fourth.limit, fourth.counted], ['day', eur, eur])
})

test('who names no limit takes what there is room for, and no less than is enough', async () => {
  const store = memoryBlocks()
  const purse = createPurse({ store, blockSize: eur / 2, now: () => 0, onError: assert.ifError })
  const drawn = await purse.draw([ceiling(1)], 3 * eur, eur / 10)
  assert.ok(drawn.outcome === 'drawn')
  assert.equal(drawn.draw.amount, eur)
  await store.close(await store.open(drawn.draw.block, eur), eur - 5)
  drawn.draw.settle(eur - 5)
  assert.equal((await purse.draw([ceiling(1)], 3 * eur, 5)).outcome, 'drawn')
  assert.equal((await purse.draw([ceiling(1)], 3 * eur, 6)).outcome, 'exceeded')
})

test('a call waits for what calls under way hold and may not need, but not for what is spent', async () => {
  const store = memoryBlocks()
  const purse = createPurse({ store, blockSize: eur / 2, now: () => 0, onError: assert.ifError, patience: 60_000 })
  const first = await purse.draw([ceiling(1)], eur)
  assert.ok(first.outcome === 'drawn')
  const call = await store.open(first.draw.block, eur)
  let second: string | undefined
  const waiting = purse.draw([ceiling(1)], eur / 2).then(({ outcome }) => (second = outcome))
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  assert.equal(second, undefined)
  await store.close(call, eur / 4)
  first.draw.settle(eur / 4)
  assert.equal(await waiting, 'drawn')
  assert.equal((await purse.draw([ceiling(1)], eur)).outcome, 'exceeded')
})

test('a block is not drawn from once its day is over', async () => {
  let now = 0
  const store = memoryBlocks({ validMs: 1_000 })
  const purse = createPurse({ store, blockSize: eur / 2, now: () => now, onError: assert.ifError })
  await purse.draw([ceiling(5)], 1)
  now = 1_000
  await purse.draw([ceiling(5)], 1)
  assert.equal(store.asked(), 2)
})

test('a draw is settled once, whatever is said again', async () => {
  const store = memoryBlocks()
  const purse = createPurse({ store, blockSize: 10, now: () => 0, onError: assert.ifError })
  const drawn = await purse.draw([{ name: 'day', per: 'day', limit: 10 / eur }], 10)
  assert.ok(drawn.outcome === 'drawn')
  await store.close(await store.open(drawn.draw.block, 10), 5)
  drawn.draw.settle(5)
  drawn.draw.settle(-100)
  assert.equal((await purse.draw([{ name: 'day', per: 'day', limit: 10 / eur }], 6)).outcome, 'exceeded')
})

test('10,000 histories of calls, crashes and settlements: no ceiling is passed by more than a block, the sums are what upstreams reported, and nobody is held back while there is room', async () => {
  await fc.assert(fc.asyncProperty(anyHistory, async (history: History) => {
    const played = await playHistory(history, memoryBlocks())
    for (const { name, limit, spent, reported, counted } of played.accounts) {
      assert.ok(spent <= limit + history.blockSize, `${name}: ${spent} of ${limit}`)
      assert.equal(spent, reported, name)
      assert.equal(counted, spent, `${name}: all that was not spent was given back`)
    }
    assert.equal(played.heldBackWithRoom, 0)
  }), { numRuns: 10_000 })
})
