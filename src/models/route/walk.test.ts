import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../kernel/fault.ts'
import type { Candidate } from '../plan.ts'
import { createBreakers } from './breaker.ts'
import { createLimits } from './limits.ts'
import { createWalk, type Attempt } from './walk.ts'

const near: Candidate = { upstream: 'near', model: 'small', zone: 'machine' }
const cloud: Candidate = { upstream: 'cloud', model: 'large', zone: 'cloud' }
const failing = (code: string, details = {}) => new Fault('unavailable', code, code, details)

/** A walk that does not wait, and what it would have waited; each attempt fails with what is next, and answers when nothing is. */
function setUp(...faults: Fault[]) {
  const pauses: number[] = []
  const asked: string[] = []
  const walk = createWalk({
    retry: () => ({ tries: 3, longestWaitMs: 10_000 }),
    breakers: createBreakers(() => ({ failures: 3, restMs: 5_000 })),
    limits: createLimits(() => ({})),
    pause: async (ms) => void pauses.push(ms),
    random: () => 0.5,
  })
  const attempt: Attempt<string> = async (candidate, passage) => {
    asked.push(candidate.upstream)
    const fault = faults.shift()
    if (!fault) {
      passage.begun()
      passage.answered(1)
      return candidate.upstream
    }
    passage.failed(fault, 0)
    throw fault
  }
  const go = (candidates: readonly Candidate[], signal = new AbortController().signal) => walk({ candidates, endpoint: 'chat', tokens: 1, yields: false, signal }, attempt)
  return { go, asked, pauses }
}

test('what failed for a moment is asked again, then the next model is', async () => {
  const { go, asked, pauses } = setUp(failing('upstream.failed'), failing('upstream.unreachable'), failing('upstream.failed'))
  assert.equal(await go([cloud, near]), 'near')
  assert.deepEqual(asked, ['cloud', 'cloud', 'cloud', 'near'])
  assert.deepEqual(pauses, [250, 500])
})

test('a limited upstream is waited for as it said, and not asked by anybody meanwhile', async () => {
  const { go, asked, pauses } = setUp(failing('upstream.limited', { retryAfter: 60 }))
  assert.equal(await go([cloud, near]), 'near')
  assert.equal(await go([cloud, near]), 'near')
  await assert.rejects(go([cloud]), (error) => error instanceof Fault && error.code === 'upstream.limited' && Number(error.details['retryAfter']) > 50)
  assert.deepEqual(asked, ['cloud', 'near', 'near'])
  assert.deepEqual(pauses, [])
})

test('an upstream that rests is passed by, and counted as tried', async () => {
  const { go, asked } = setUp(...Array.from({ length: 3 }, () => failing('upstream.failed')))
  await go([cloud, near])
  asked.length = 0
  assert.equal(await go([cloud, near]), 'near')
  await assert.rejects(go([cloud]), (error) => error instanceof Fault && error.code === 'upstream.resting')
  assert.deepEqual(asked, ['near'])
})

test('a wrong request is wrong everywhere', async () => {
  const wrong = new Fault('invalid', 'upstream.rejected', 'no')
  const { go, asked } = setUp(wrong)
  await assert.rejects(go([cloud, near]), (error) => error === wrong)
  assert.deepEqual(asked, ['cloud'])
})

test('what gate cloud is handed, it sees to itself: it is asked once', async () => {
  const { go, asked, pauses } = setUp(...Array.from({ length: 9 }, () => failing('upstream.failed')))
  for (let i = 0; i < 9; i += 1) await assert.rejects(go([{ ...cloud, handedOn: 'redacted' }]), /upstream.failed/)
  assert.equal(await go([{ ...cloud, handedOn: 'redacted' }]), 'cloud')
  assert.equal(asked.length, 10)
  assert.deepEqual(pauses, [])
})

test('the same said three times is told once', async () => {
  const { go } = setUp(failing('upstream.failed'), failing('upstream.failed'), failing('upstream.failed'))
  await assert.rejects(go([cloud]), (error) => error instanceof Fault && error.message === 'upstream.failed')
})

test('a client who leaves during a pause is not kept', async () => {
  const leaving = new AbortController()
  const walk = createWalk({
    retry: () => ({ tries: 3, longestWaitMs: 60_000 }), breakers: createBreakers(() => ({ failures: 3, restMs: 5_000 })), limits: createLimits(() => ({})),
  })
  const going = walk({ candidates: [cloud], endpoint: 'chat', tokens: 1, yields: false, signal: leaving.signal }, async (_candidate, passage) => {
    const fault = failing('upstream.limited', { retryAfter: 50 })
    // told by the upstream of this call alone
    passage.left(0)
    setImmediate(() => leaving.abort(new Fault('unavailable', 'client_gone', 'gone')))
    throw fault
  })
  await assert.rejects(going, /gone/)
})
