import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isTimezone, nextFires, scheduleProblem } from './cron.ts'

const iso = (fires: Date[]) => fires.map((fire) => fire.toISOString())

test('fires follow the wall clock of the zone across the change of summer time', () => {
  assert.deepEqual(iso(nextFires('10 7 * * 1-5', 'Europe/Berlin', new Date('2026-10-22T12:00:00Z'), 3)), [
    '2026-10-23T05:10:00.000Z', '2026-10-26T06:10:00.000Z', '2026-10-27T06:10:00.000Z',
  ])
})

test('a time in the gap of spring fires after it, an hour that comes twice fires once', () => {
  assert.deepEqual(iso(nextFires('30 2 * * *', 'America/New_York', new Date('2026-03-08T05:00:00Z'), 2)), ['2026-03-08T07:00:00.000Z', '2026-03-09T06:30:00.000Z'])
  assert.deepEqual(iso(nextFires('30 1 * * *', 'America/New_York', new Date('2026-11-01T04:00:00Z'), 2)), ['2026-11-01T05:30:00.000Z', '2026-11-02T06:30:00.000Z'])
  assert.deepEqual(iso(nextFires('0 2 * * *', 'Australia/Lord_Howe', new Date('2026-10-03T12:00:00Z'), 1)), ['2026-10-03T15:30:00.000Z'])
})

test('six fields begin with seconds, seven are refused', () => {
  assert.deepEqual(iso(nextFires('*/20 * * * * *', 'UTC', new Date('2026-11-20T08:00:00Z'), 2)), ['2026-11-20T08:00:20.000Z', '2026-11-20T08:00:40.000Z'])
  assert.throws(() => nextFires('0 0 0 1 1 * 2030', 'UTC', new Date(), 1), { kind: 'invalid', code: 'house.cron' })
})

test('fires come after the moment, in order, and the next of each is the one after it', () => {
  const expressions = ['* * * * *', '*/5 * * * *', '10 7 * * 1-5', '0 0 1 * 1', '30 2 L * *', '0 12 29 2 *']
  const zones = ['UTC', 'Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe', 'Asia/Kathmandu']
  fc.assert(fc.property(fc.constantFrom(...expressions), fc.constantFrom(...zones), fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }), (cron, zone, after) => {
    const fires = nextFires(cron, zone, after, 4)
    assert.equal(fires.length, 4)
    for (const [at, fire] of fires.entries()) {
      const before = at === 0 ? after : fires[at - 1]!
      assert.ok(fire > before)
      assert.deepEqual(nextFires(cron, zone, before, 1)[0], fire)
    }
  }), { numRuns: 60 })
})

test('a schedule that never fires, a zone that does not exist and nonsense are problems', () => {
  const now = new Date('2026-11-20T08:00:00Z')
  assert.match(scheduleProblem('0 9 31 2 *', 'UTC', now)!.what, /never fires/)
  assert.match(scheduleProblem('0 9 30 2 *', 'UTC', now)!.what, /never fires/)
  assert.match(scheduleProblem('* * * * *', 'Mars/Olympus', now)!.what, /no time zone Mars\/Olympus/)
  assert.match(scheduleProblem('', 'UTC', now)!.what, /is not a schedule/)
  assert.equal(scheduleProblem('0 9 29 2 *', 'UTC', now), undefined)
})

test('a zone is an IANA name and not an offset', () => {
  assert.ok(isTimezone('Europe/Berlin') && isTimezone('UTC'))
  for (const none of ['', '+02:00', '-0500', 'Berlin', 'Europe/Berlin ']) assert.ok(!isTimezone(none), none)
})
