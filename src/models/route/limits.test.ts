import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import type { LimitSettings } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'
import { createLimits, type Limits, type Slot } from './limits.ts'

// `performance.now` cannot be turned by the mock, so the clock is the one of the timers
mock.timers.enable({ apis: ['setTimeout', 'Date'] })
const now = () => Date.now()
let limits: Limits
let settings: Record<string, LimitSettings>
const limit = (part: Partial<LimitSettings>): LimitSettings => ({ requests: {}, tokens: {}, waitMs: 30_000, whenFull: 'wait', ...part })
const enter = (more: { tokens?: number; hasNext?: boolean; yields?: boolean; signal?: AbortSignal } = {}) =>
  limits.enter({ upstream: 'cloud', tokens: 100, hasNext: false, yields: false, signal: new AbortController().signal, ...more })
const isFull = (error: unknown) => error instanceof Fault && error.code === 'limit_reached'

/** Lets go on whatever can. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve()
}

/** Whether each has got in by now. */
async function inside(waiting: readonly Promise<Slot>[]): Promise<boolean[]> {
  const got = waiting.map(() => false)
  waiting.forEach((slot, place) => void slot.then(() => (got[place] = true), () => {}))
  await turns()
  return got
}

beforeEach(() => {
  settings = {}
  limits = createLimits(() => settings, now)
})

test('an upstream without limits is entered at once', async () => {
  for (const slot of await Promise.all(Array.from({ length: 1_000 }, () => enter()))) slot.leave(1)
})

test('so many at a time, first come, first served', async () => {
  settings = { cloud: limit({ concurrent: 2 }) }
  const waiting = Array.from({ length: 4 }, () => enter())
  assert.deepEqual(await inside(waiting), [true, true, false, false])
  ;(await waiting[1]!).leave(10)
  assert.deepEqual(await inside(waiting), [true, true, true, false])
  ;(await waiting[0]!).leave(10)
  ;(await waiting[0]!).leave(10)
  assert.deepEqual(await inside(waiting), [true, true, true, true])
})

test('so many a minute: the next waits until the first is a minute old', async () => {
  settings = { cloud: limit({ requests: { minute: 2 }, waitMs: 90_000 }) }
  const waiting = Array.from({ length: 3 }, () => enter())
  assert.deepEqual(await inside(waiting), [true, true, false])
  mock.timers.tick(59_000)
  assert.deepEqual(await inside(waiting), [true, true, false])
  mock.timers.tick(2_000)
  assert.deepEqual(await inside(waiting), [true, true, true])
})

test('tokens count as many as may be taken, and then as many as were', async () => {
  settings = { cloud: limit({ tokens: { minute: 1_000 } }) }
  const first = await enter({ tokens: 900 })
  const second = enter({ tokens: 900 })
  assert.deepEqual(await inside([second]), [false])
  first.leave(50)
  assert.deepEqual(await inside([second]), [true])
})

test('a call that was not made is not counted', async () => {
  settings = { cloud: limit({ requests: { day: 1 }, waitMs: 0 }) }
  ;(await enter()).leave(undefined)
  ;(await enter()).leave(10)
  await assert.rejects(enter(), isFull)
})

test('who would wait longer than he may is told at once, and when there is room again', async () => {
  settings = { cloud: limit({ requests: { hour: 1 } }) }
  await enter()
  await assert.rejects(enter(), (error) => isFull(error) && /at most 1 requests a hour/.test((error as Fault).message) && Number((error as Fault).details['retryAfter']) > 3_500)
})

test('who has waited as long as he may is told so, and makes room for the next', async () => {
  settings = { cloud: limit({ concurrent: 1 }) }
  const first = await enter()
  const second = enter()
  const refused = assert.rejects(second, isFull)
  mock.timers.tick(30_000)
  await refused
  const third = enter()
  first.leave(1)
  assert.deepEqual(await inside([third]), [true])
})

test('a call that has another model to go to need not wait for this one', async () => {
  settings = { cloud: limit({ concurrent: 1, whenFull: 'next' }) }
  await enter()
  await assert.rejects(enter({ hasNext: true }), isFull)
  assert.deepEqual(await inside([enter({ hasNext: false })]), [false])
})

test('a client who leaves while he waits leaves the queue', async () => {
  settings = { cloud: limit({ concurrent: 1 }) }
  const first = await enter()
  const leaving = new AbortController()
  const second = enter({ signal: leaving.signal })
  const third = enter()
  const gone = assert.rejects(second, /gone/)
  leaving.abort(new Error('gone'))
  await gone
  first.leave(1)
  assert.deepEqual(await inside([third]), [true])
})

test('limits that were taken out of the house hold nobody any more', async () => {
  settings = { cloud: limit({ concurrent: 1 }) }
  const first = await enter()
  const waiting = [enter(), enter()]
  settings = {}
  first.leave(1)
  assert.deepEqual(await inside(waiting), [true, true])
})

test('what was asked before the start counts', async () => {
  settings = { cloud: limit({ requests: { hour: 10 }, waitMs: 0 }) }
  limits.remember([{ upstream: 'cloud', agoMs: 7_200_000, requests: 50, tokens: 0 }, { upstream: 'cloud', agoMs: 600_000, requests: 9, tokens: 0 }])
  await enter()
  await assert.rejects(enter(), isFull)
})

test('what yields takes room only when nobody waits, and never waits itself', async () => {
  settings = { cloud: limit({ concurrent: 1 }) }
  const first = await enter({ yields: true })
  const isPushing = (error: unknown) => error instanceof Fault && error.code === 'limit_reached' && error.kind === 'conflict'
  await assert.rejects(enter({ yields: true }), isPushing, 'no room')
  const client = enter()
  assert.deepEqual(await inside([client]), [false])
  // there is room for one with few tokens, but somebody waits for room
  settings = { cloud: limit({ concurrent: 2 }) }
  await assert.rejects(enter({ yields: true, tokens: 1 }), isPushing, 'a client waits')
  first.leave(1)
  ;(await client).leave(1)
  ;(await enter({ yields: true })).leave(1)
})

test('what yields goes on to the next model only where the house says so', async () => {
  settings = { cloud: limit({ concurrent: 1 }) }
  await enter()
  await assert.rejects(enter({ yields: true, hasNext: true }), { kind: 'conflict', code: 'limit_reached' })
  settings = { cloud: limit({ concurrent: 1, whenFull: 'next' }) }
  await assert.rejects(enter({ yields: true, hasNext: true }), { kind: 'unavailable', code: 'limit_reached' })
  await assert.rejects(enter({ yields: true }), { kind: 'conflict', code: 'limit_reached' })
})
