import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, distance, duration, moment, money } from './wording.ts'

test('durations are said in the two units that matter', () => {
  assert.equal(duration(430), '0.4 s')
  assert.equal(duration(42_000), '42 s')
  assert.equal(duration(125_000), '2 min 5 s')
  assert.equal(duration(3_600_000), '1 h')
  assert.equal(duration(3 * 3_600_000 + 600_000), '3 h 10 min')
  assert.equal(duration(2 * 86_400_000 + 4 * 3_600_000), '2 d 4 h')
})

test('a moment is as short as it can be without being mistaken', () => {
  const here = { now: new Date('2026-11-20T12:00:00Z'), timezone: 'Europe/Berlin' }
  assert.equal(moment('2026-11-20T06:10:00Z', here), '07:10')
  assert.equal(moment('2026-11-20T23:30:00Z', here), 'Sat 21 Nov 00:30')
  assert.equal(moment('2025-01-02T06:10:00Z', here), '2025-01-02 07:10')
})

test('distances point forward and back', () => {
  const here = { now: new Date('2026-11-20T12:00:00Z'), timezone: undefined }
  assert.equal(distance('2026-11-20T12:30:00Z', here), 'in 30 min')
  assert.equal(distance('2026-11-20T11:58:00Z', here), '2 min ago')
})

test('money and sizes keep the digits that matter', () => {
  assert.equal(money(0), 'EUR 0.00')
  assert.equal(money(null), 'unknown price')
  assert.equal(money(0.0042), 'EUR 0.0042')
  assert.equal(money(12.345), 'EUR 12.35')
  assert.equal(bytes(812), '812 B')
  assert.equal(bytes(14_200), '14.2 kB')
})
