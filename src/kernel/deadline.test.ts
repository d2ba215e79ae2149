import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadline } from './deadline.ts'

test('a deadline aborts when its time is over, as a timeout', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { signal } = deadline(new AbortController().signal, 1_000)
  t.mock.timers.tick(999)
  assert.equal(signal.aborted, false)
  t.mock.timers.tick(1)
  assert.deepEqual([signal.aborted, (signal.reason as Error).name], [true, 'TimeoutError'])
})

test('a deadline aborts with the signal around it, for its reason, also when that has aborted before', () => {
  const outer = new AbortController()
  const early = deadline(outer.signal, 1_000)
  outer.abort('enough')
  assert.deepEqual([early.signal.reason, deadline(outer.signal, 1_000).signal.reason], ['enough', 'enough'])
})

test('a deadline that has ended aborts no more and leaves no timer behind', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const outer = new AbortController()
  const { signal, end } = deadline(outer.signal, 1_000)
  end()
  t.mock.timers.tick(5_000)
  outer.abort()
  assert.equal(signal.aborted, false)
})
