import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createWindow } from './window.ts'

const minute = 60_000

test('in no minute is more let in than is allowed, and who waits as long as he is told gets in', () => {
  const steps = fc.array(fc.record({ pause: fc.integer({ min: 0, max: 30_000 }), amount: fc.integer({ min: 1, max: 5 }) }), { maxLength: 200 })
  fc.assert(fc.property(steps, fc.integer({ min: 5, max: 20 }), fc.integer({ min: 0, max: 1e9 }), (history, most, start) => {
    const window = createWindow(minute)
    const taken: { at: number; amount: number }[] = []
    let now = start
    for (const { pause, amount } of history) {
      now += pause
      now += window.waitFor(amount, most, now)
      assert.equal(window.waitFor(amount, most, now), 0)
      window.add(amount, now)
      taken.push({ at: now, amount })
      const inside = taken.filter(({ at }) => at > now - minute).reduce((sum, entry) => sum + entry.amount, 0)
      assert.ok(inside <= most, `${inside} of ${most}`)
    }
  }))
})

test('nobody waits longer than a minute and its sixtieth', () => {
  const window = createWindow(minute)
  window.add(10, 500)
  assert.equal(window.waitFor(1, 10, 500), minute + 500)
  assert.equal(window.waitFor(1, 10, 61_000), 0)
})

test('what is given back makes room', () => {
  const window = createWindow(minute)
  window.add(10, 500)
  window.add(-4, 500)
  assert.equal(window.waitFor(4, 10, 2_000), 0)
  assert.ok(window.waitFor(5, 10, 2_000) > 0)
})

test('what is more than all that is allowed gets in alone', () => {
  const window = createWindow(minute)
  assert.equal(window.waitFor(50, 10, 0), 0)
  window.add(50, 0)
  assert.ok(window.waitFor(50, 10, 30_000) > 0)
  assert.equal(window.waitFor(50, 10, 62_000), 0)
})
