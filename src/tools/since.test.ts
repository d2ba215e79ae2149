import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../kernel/clock.ts'
import { momentOf } from './since.ts'

const clock = createManualClock(new Date('2026-11-20T12:00:00Z'))

test('a span counts back from now, a moment is itself', () => {
  assert.equal(momentOf('24h', clock).toISOString(), '2026-11-19T12:00:00.000Z')
  assert.equal(momentOf('7d', clock).toISOString(), '2026-11-13T12:00:00.000Z')
  assert.equal(momentOf('2026-11-20T06:00:00+01:00', clock).toISOString(), '2026-11-20T05:00:00.000Z')
  assert.equal(momentOf('2026-11-01', clock).toISOString(), '2026-11-01T00:00:00.000Z')
})

test('anything else is refused with an example', () => {
  for (const since of ['yesterday', '24', '', '2026-13-40', '-5h', '99999999999999d']) {
    assert.throws(() => momentOf(since, clock), { kind: 'invalid', code: 'tool.since', message: /write e\.g\. 24h/ }, since)
  }
})
