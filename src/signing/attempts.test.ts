import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import { createAttempts } from './attempts.ts'

const refusal = new Fault('refused', 'enrol.code', 'wrong')
const fail = () => Promise.reject(refusal)

function attempts() {
  const clock = createManualClock(new Date('2026-03-02T09:00:00.000Z'))
  const locked: number[] = []
  const failed: string[] = []
  return { clock, locked, failed, ...createAttempts({ clock, onFailed: (code) => void failed.push(code), onLocked: async (failures) => void locked.push(failures) }) }
}

test('the fifth failure within five minutes locks for five minutes, once', async () => {
  const { attempt, clock, locked, failed } = attempts()
  for (let count = 0; count < 5; count += 1) {
    assert.equal(await attempt(async () => 'in'), 'in')
    await assert.rejects(attempt(fail), refusal)
  }
  assert.deepEqual(locked, [5])
  clock.advance(5 * 60_000 - 1)
  await assert.rejects(attempt(async () => 'in'), { code: 'signin.locked' })
  assert.deepEqual(failed, [...Array(5).fill('enrol.code'), 'signin.locked'], 'those while it is locked are failures too')
  clock.advance(1)
  assert.equal(await attempt(async () => 'in'), 'in')
})

test('failures further apart lock nobody out, and neither do requests that were malformed or sessions that ended', async () => {
  const { attempt, clock, locked, failed } = attempts()
  for (let count = 0; count < 12; count += 1) {
    await assert.rejects(attempt(fail), refusal)
    clock.advance(76_000)
  }
  for (const harmless of [new Fault('invalid', 'key.form', 'no'), new Fault('refused', 'session.over', 'over'), new Error('defect')]) {
    for (let count = 0; count < 6; count += 1) await assert.rejects(attempt(() => Promise.reject(harmless)), harmless)
  }
  assert.deepEqual([locked, failed.length], [[], 12])
})

test('tries at the same time are counted before they fail', async () => {
  const { attempt } = attempts()
  let began = 0
  const gate = Promise.withResolvers<never>()
  const all = Promise.allSettled(Array.from({ length: 100 }, () => attempt(() => {
    began += 1
    return gate.promise
  })))
  gate.reject(refusal)
  await all
  assert.equal(began, 5)
})
