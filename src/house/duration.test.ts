import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDuration, parseDuration } from './duration.ts'

test('durations are milliseconds', () => {
  assert.deepEqual(['10s', '2m', '72h', '90d', '250ms', '1h30m', '0'].map(parseDuration), [10_000, 120_000, 259_200_000, 7_776_000_000, 250, 5_400_000, 0])
})

test('what is shown is read as the same duration', () => {
  fc.assert(fc.property(fc.nat(999_999_999), (milliseconds) => assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds)))
})

test('a number without a unit, a sign, a space or a year is refused', () => {
  for (const text of ['', '10', '-5s', '5 m', '1y', 's', '1.5h', '5m?', '١s']) assert.throws(() => parseDuration(text), { kind: 'invalid', code: 'house.duration' }, text)
})
