import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextFires } from '../../house/index.ts'
import { rememberFires } from './remember-fires.ts'

test('remembered fires are those that would be computed, also when the clock jumps or goes back', () => {
  const fires = rememberFires()
  const start = Date.parse('2026-03-28T22:00:00Z') // the night in which Berlin loses an hour
  for (const minutes of [0, 30, 180, 181, 60, 10, 1500, 0, 100_000]) {
    for (const [cron, zone] of [['30 2 * * *', 'Europe/Berlin'], ['*/20 * * * *', 'UTC'], ['30 2 * * *', 'UTC']] as const) {
      const after = new Date(start + minutes * 60_000)
      for (const count of [1, 5, 12]) assert.deepEqual(fires(cron, zone, after, count), nextFires(cron, zone, after, count), `${cron} ${zone} ${after.toISOString()} ${count}`)
    }
  }
})

test('at the very moment of a fire the next one is another', () => {
  const fires = rememberFires()
  const [first] = fires('0 * * * *', 'UTC', new Date('2026-01-01T00:30:00Z'), 1)
  assert.equal(fires('0 * * * *', 'UTC', first!, 1)[0]!.toISOString(), '2026-01-01T02:00:00.000Z')
})
