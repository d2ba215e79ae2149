import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instantOf } from './local-time.ts'

test('a time of a zone is one moment: the first when the clocks show it twice, none when they leave it out', () => {
  const known: [string, string, string | undefined][] = [
    ['2026-03-02T10:00', 'Europe/Berlin', '2026-03-02T09:00:00.000Z'], ['2026-07-02T10:00', 'Europe/Berlin', '2026-07-02T08:00:00.000Z'], ['2026-03-29T02:30', 'Europe/Berlin', undefined],
    ['2026-03-29T03:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'], ['2026-03-29T01:59', 'Europe/Berlin', '2026-03-29T00:59:00.000Z'], ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
    ['2026-01-01T00:00', 'Pacific/Kiritimati', '2025-12-31T10:00:00.000Z'], ['2026-01-01T12:00', 'America/St_Johns', '2026-01-01T15:30:00.000Z'], ['2026-04-05T01:45', 'Australia/Lord_Howe', '2026-04-04T14:45:00.000Z'],
  ]
  for (const [local, zone, instant] of known) assert.equal(instantOf(local, zone)?.toISOString(), instant, `${local} ${zone}`)
})
