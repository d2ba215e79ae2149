import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batched } from './batch.ts'

test('a lone call is a batch of one, and calls that come meanwhile share the next', async () => {
  const sizes: number[] = []
  const gate = Promise.withResolvers<void>()
  const double = batched(async (items: readonly number[]) => {
    sizes.push(items.length)
    if (sizes.length === 1) await gate.promise
    return items.map((item) => item * 2)
  })
  const first = double(1)
  await Promise.resolve()
  const rest = [double(2), double(3)]
  gate.resolve()
  assert.deepEqual(await Promise.all([first, ...rest]), [2, 4, 6])
  assert.deepEqual(sizes, [1, 2])
})

test('a bad item fails alone', async () => {
  const work = batched(async (items: readonly number[]) => {
    if (items.includes(13)) throw new Error('unlucky')
    return items
  })
  const results = await Promise.allSettled([work(1), work(13), work(2)])
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
})

test('no batch is larger than its limit', async () => {
  const sizes: number[] = []
  const work = batched(async (items: readonly number[]) => (sizes.push(items.length), items), 10)
  await Promise.all(Array.from({ length: 25 }, (_value, index) => work(index)))
  assert.deepEqual(sizes, [10, 10, 5])
})
