import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bothTimes, localMoment } from './local-moment.ts'

test('a local time is resolved by the zone: winter, summer, the hour that is skipped and the hour that comes twice', () => {
  const berlin = (text: string) => localMoment(text, 'Europe/Berlin').toISOString()
  assert.equal(berlin('2026-12-01T09:00'), '2026-12-01T08:00:00.000Z')
  assert.equal(berlin('2026-07-01 09:00:30'), '2026-07-01T07:00:30.000Z')
  assert.equal(berlin('2026-03-29T02:30'), '2026-03-29T01:30:00.000Z', 'the clock shows 03:30 then')
  assert.equal(berlin('2026-10-25T02:30'), '2026-10-25T00:30:00.000Z', 'the first of two')
  assert.equal(localMoment('2026-12-01T09:00', 'UTC').toISOString(), '2026-12-01T09:00:00.000Z')
})

test('what no calendar has is refused', () => {
  for (const text of ['2026-02-30T09:00', '2026-13-01T09:00', '2026-12-01T24:30', 'tomorrow', '2026-12-01', '2026-12-01T09:00Z', '0026-12-01T09:00', '1969-12-31T09:00']) assert.throws(() => localMoment(text, 'UTC'), { code: 'time.local' }, text)
})

test('a moment is told as the clock shows it there and as it is signed', () => {
  assert.equal(bothTimes(new Date('2026-12-01T08:00:00.000Z'), 'Europe/Berlin'), '2026-12-01 09:00 in Europe/Berlin (2026-12-01T08:00:00.000Z)')
})
