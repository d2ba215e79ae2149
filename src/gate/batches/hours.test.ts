import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWithin } from './hours.ts'
import { createPauses } from './pauses.ts'

const at = (time: string) => new Date(`2026-07-01T${time}Z`)
const nights = { from: 22 * 60, to: 6 * 60 }

test('nights go on past midnight, and end when they say', () => {
  for (const time of ['22:00:00', '23:59:59', '00:00:00', '05:59:59']) assert.equal(isWithin(nights, at(time), 'UTC'), true, time)
  for (const time of ['06:00:00', '12:00:00', '21:59:59']) assert.equal(isWithin(nights, at(time), 'UTC'), false, time)
  assert.equal(isWithin({ from: 600, to: 660 }, at('10:30:00'), 'UTC'), true)
  assert.equal(isWithin({ from: 600, to: 660 }, at('11:00:00'), 'UTC'), false)
})

test('hours are those of the house', () => {
  assert.equal(isWithin(nights, at('20:30:00'), 'Europe/Berlin'), true)
  assert.equal(isWithin(nights, at('20:30:00'), 'UTC'), false)
  assert.equal(isWithin(null, at('12:00:00'), 'UTC'), true)
})

test('a pause is twice as long each time, as long as was said, never longer than five minutes, and over with an answer', () => {
  const pauses = createPauses()
  const line = { batch: 'b', model: 'm' }
  pauses.pause(line, 0, 0)
  assert.deepEqual([pauses.at(999), pauses.at(1_000)], [[line], []])
  // of the same moment, as another line that was under way
  pauses.pause(line, 0, 999)
  assert.deepEqual(pauses.at(1_000), [])
  pauses.pause(line, 0, 1_000)
  assert.deepEqual([pauses.at(2_999), pauses.at(3_000)], [[line], []])
  pauses.pause(line, 60, 3_000)
  assert.deepEqual([pauses.at(62_999), pauses.at(63_000)], [[line], []])
  pauses.pause(line, 86_400, 63_000)
  assert.deepEqual([pauses.at(362_999), pauses.at(363_000)], [[line], []])
  pauses.pause({ batch: 'b', model: 'other' }, 0, 363_000)
  pauses.end(line)
  pauses.pause(line, 0, 363_000)
  assert.deepEqual([pauses.at(363_999).length, pauses.at(364_000).length], [2, 0])
  pauses.pause(line, 9, 400_000)
  pauses.forget('another')
  assert.equal(pauses.at(400_000).length, 1)
  pauses.forget('b')
  assert.equal(pauses.at(400_000).length, 0)
})
