import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { divideDue, slotsBetween } from './due-slots.ts'

const at = (text: string) => new Date(text)
const between = (cron: string, timezone: string, after: string, until: string) =>
  slotsBetween([{ cron, timezone }], at(after), at(until)).map((slot) => slot.toISOString())

test('a slot lies in the half-open interval behind the last look', () => {
  assert.deepEqual(between('0 * * * *', 'UTC', '2026-11-20T08:00:00Z', '2026-11-20T10:00:00Z'), [
    '2026-11-20T09:00:00.000Z',
    '2026-11-20T10:00:00.000Z',
  ])
})

test('two schedules that meet make one slot', () => {
  const slots = slotsBetween(
    [{ cron: '0 9 * * *', timezone: 'UTC' }, { cron: '0 10 * * *', timezone: 'Europe/Berlin' }],
    at('2026-11-20T00:00:00Z'), at('2026-11-20T23:00:00Z'),
  )
  assert.deepEqual(slots.map((slot) => slot.toISOString()), ['2026-11-20T09:00:00.000Z'])
})

test('clocks that change give every day one slot', () => {
  const cases: [cron: string, zone: string, day: string, slot: string][] = [
    ['30 2 * * *', 'America/New_York', '2026-03-08', '2026-03-08T07:00:00.000Z'], // a gap: fires behind it, at 03:00
    ['30 1 * * *', 'America/New_York', '2026-11-01', '2026-11-01T05:30:00.000Z'], // twice on the clock, once here
    ['0 2 * * *', 'Australia/Lord_Howe', '2026-10-04', '2026-10-03T15:30:00.000Z'], // a gap of half an hour: 02:30
    ['0 0 * * *', 'America/Santiago', '2026-09-06', '2026-09-06T04:00:00.000Z'], // midnight does not exist: 01:00
  ]
  for (const [cron, zone, day, slot] of cases) {
    const noon = at(`${day}T12:00:00Z`)
    const found = slotsBetween([{ cron, timezone: zone }], new Date(noon.getTime() - 86_400_000), noon).map((one) => one.toISOString())
    assert.ok(found.includes(slot), `${cron} ${zone}: ${found}`)
    assert.equal(new Set(found).size, found.length)
  }
})

test('the policy divides late slots, and no slot is lost or doubled', () => {
  const now = at('2026-11-20T12:00:00Z')
  const hours = fc.uniqueArray(fc.integer({ min: 0, max: 50 }), { maxLength: 12 })
  fc.assert(
    fc.property(hours, fc.constantFrom('skip' as const, 'latest' as const, 'all' as const), (ages, policy) => {
      const slots = ages.sort((a, b) => b - a).map((age) => new Date(now.getTime() - age * 3_600_000))
      const due = divideDue(slots, now, policy, 60_000)
      assert.deepEqual([...due.run, ...due.missed].map(Number).sort(), slots.map(Number).sort())
      const late = slots.filter((slot) => now.getTime() - slot.getTime() > 60_000)
      if (policy === 'skip') assert.deepEqual(due.missed, late)
      if (policy === 'all') assert.equal(due.missed.length, 0)
      if (policy === 'latest' && slots.length > 0) assert.equal(due.run.length, 1)
    }),
  )
})
