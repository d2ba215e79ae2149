import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spansOf } from './waterfall.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
const now = new Date(at(20))

test('steps lie one after the other in the time of their run', () => {
  const spans = spansOf([{ started_at: at(0), closed_at: at(4) }, { started_at: at(4), closed_at: at(16) }], now)
  assert.deepEqual(spans, [{ from: 0, width: 0.25, milliseconds: 4_000 }, { from: 0.25, width: 0.75, milliseconds: 12_000 }])
})

test('a step that goes on reaches until now; one to come has no place', () => {
  const spans = spansOf([{ started_at: at(0), closed_at: at(10) }, { started_at: at(10), closed_at: null }, { started_at: null, closed_at: null }], now)
  assert.deepEqual(spans, [{ from: 0, width: 0.5, milliseconds: 10_000 }, { from: 0.5, width: 0.5, milliseconds: 10_000 }, null])
})

test('a run that has not begun, and one that took no time at all, are drawn too', () => {
  assert.deepEqual(spansOf([{ started_at: null, closed_at: null }], now), [null])
  assert.deepEqual(spansOf([{ started_at: at(1), closed_at: at(1) }], now), [{ from: 0, width: 0, milliseconds: 0 }])
})

test('a browser whose clock is behind shows no negative time', () => {
  assert.deepEqual(spansOf([{ started_at: at(30), closed_at: null }], now)[0]!.milliseconds, 0)
})
