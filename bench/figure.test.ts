import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMet, middle, type Figure } from './figure.ts'
import { keepBusy } from './keep-busy.ts'
import { markdownTable } from './table.ts'

const figure = (changes: Partial<Figure>): Figure => ({ name: 'x', unit: 'runs/s', value: 200, spread: [180, 220], target: { ratio: 2 }, ...changes })
const peer = (value: number) => ({ name: 'other', value, spread: [value, value] as const })

test('the middle of an even number of rounds lies between the two in the middle', () => {
  assert.deepEqual(middle([9, 1, 4, 2]), { value: 3, spread: [1, 9] })
  assert.deepEqual(middle([5]), { value: 5, spread: [5, 5] })
})

test('a ratio is met from the target on, a limit up to it', () => {
  assert.equal(isMet(figure({ peer: peer(100) })), true)
  assert.equal(isMet(figure({ peer: peer(100.1) })), false)
  assert.equal(isMet(figure({ target: { atMost: 200 } })), true)
  assert.equal(isMet(figure({ target: { atMost: 199 } })), false)
  assert.equal(isMet(figure({ target: { atLeast: 200 } })), true)
  assert.equal(isMet(figure({ target: { atLeast: 201 } })), false)
})

test('work of callers that overlap is counted, each unit once', async () => {
  let performed = 0
  const { done } = await keepBusy(16, 20, async () => {
    performed += 1
    await new Promise(setImmediate)
  })
  assert.equal(done, performed)
  assert.ok(done >= 16)
})

test('a table says what was missed', () => {
  assert.match(markdownTable([figure({ peer: peer(1_000) })]), /\| x \| 200 runs\/s \(180–220\) \| other 1,000 \(1,000–1,000\) \| 0\.20 × \| ≥ 2 × \| missed \|/)
})
