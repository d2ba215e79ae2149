import assert from 'node:assert/strict'
import { test } from 'node:test'
import { snoozeChoices, spell, timeLeft } from './time-left.ts'

const now = Date.parse('2026-11-20T08:00:00.000Z')
const after = (seconds: number) => new Date(now + seconds * 1000).toISOString()

test('time left is told in two units and never rounded up', () => {
  assert.deepEqual([59, 60, 250, 3599, 3600, 11_130, 86_400, 190_000].map(spell), ['59 s', '1 min', '4 min 10 s', '59 min', '1 h', '3 h 5 min', '1 d', '2 d 4 h'])
  assert.equal(timeLeft(after(59.99), now).text, '59 s')
})

test('it presses more the less there is, and says when it is over', () => {
  assert.deepEqual([86_400, 1800, 120, 0, -5].map((seconds) => timeLeft(after(seconds), now).pressing), ['no', 'soon', 'now', 'over', 'over'])
  assert.equal(timeLeft(after(0.5), now).text, 'time is over')
})

test('nothing can sleep past its deadline', () => {
  const morning = new Date(2026, 10, 20, 9, 30)
  const choices = (hours: number) => snoozeChoices(new Date(morning.getTime() + hours * 3_600_000).toISOString(), morning).filter(({ possible }) => possible).map(({ name }) => name)
  assert.deepEqual(choices(48), ['1 hour', 'This afternoon', 'Tomorrow morning'])
  assert.deepEqual(choices(6), ['1 hour', 'This afternoon'])
  assert.deepEqual(choices(1), [])
})

test('in the afternoon, the afternoon is not offered', () => {
  const names = snoozeChoices('2099-01-01T00:00:00Z', new Date(2026, 10, 20, 15, 0)).map(({ name }) => name)
  assert.deepEqual(names, ['1 hour', 'Tomorrow morning'])
})
