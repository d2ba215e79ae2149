import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../kernel/fault.ts'
import { pauseBefore } from './retry.ts'

const settings = { tries: 4, longestWaitMs: 10_000 }
const failed = new Fault('unavailable', 'upstream.failed', 'it fell over')
const limited = (retryAfter?: number) => new Fault('unavailable', 'upstream.limited', 'slow down', retryAfter === undefined ? {} : { retryAfter })

test('each pause may be twice as long as the last, and is anything below that', () => {
  assert.deepEqual([1, 2, 3].map((tries) => pauseBefore(tries, failed, settings, () => 0.999_999)), [500, 1_000, 2_000])
  assert.equal(pauseBefore(3, failed, settings, () => 0), 0)
})

test('who says when to come back is asked again then, a little apart from others, and not if that is too long', () => {
  assert.equal(pauseBefore(1, limited(2), settings, () => 0.5), 2_125)
  assert.equal(pauseBefore(1, limited(10), settings, () => 0.5), 10_125)
  assert.equal(pauseBefore(1, limited(11), settings, () => 0.5), undefined)
})

test('the last try was the last', () => {
  assert.equal(pauseBefore(4, failed, settings), undefined)
  assert.equal(pauseBefore(1, failed, { ...settings, tries: 1 }), undefined)
})

test('what will be the same in a moment is not asked again', () => {
  for (const code of ['upstream.key', 'upstream.first_byte', 'upstream.malformed', 'upstream.model', 'upstream.resting', 'limit_reached', 'budget_exceeded']) {
    assert.equal(pauseBefore(1, new Fault('unavailable', code, 'no'), settings), undefined, code)
  }
})
