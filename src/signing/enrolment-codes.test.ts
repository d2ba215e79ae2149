import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../kernel/clock.ts'
import { createEnrolmentCodes } from './enrolment-codes.ts'

const refused = { code: 'enrol.code', kind: 'refused' } as const
const key = { id: 'passkey:a', name: 'phone' }
const challenge = Uint8Array.of(1, 2, 3)

function codes() {
  const clock = createManualClock(new Date('2026-03-02T09:00:00.000Z'))
  return { clock, codes: createEnrolmentCodes(clock) }
}

test('a code counts once, with the challenge that was given for it and the name from the terminal', async () => {
  const { codes: made } = codes()
  const { id, code } = made.issue('phone')
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/)
  assert.deepEqual(made.state(id), { state: 'waiting' })
  assert.deepEqual(made.begin(code, challenge), { name: 'phone' })
  await made.use(code, async (given, name) => {
    assert.deepEqual([given, name], [challenge, 'phone'])
    return key
  })
  assert.deepEqual(made.state(id), { state: 'used', key_id: 'passkey:a', name: 'phone' })
  assert.throws(() => made.begin(code, challenge), refused)
  await assert.rejects(made.use(code, async () => key), refused)
})

test('a code is read as people type it, and two codes differ', () => {
  const { codes: made } = codes()
  const codesMade = new Set(Array.from({ length: 50 }, () => made.issue(undefined).code))
  assert.equal(codesMade.size, 50)
  const { code } = made.issue(undefined)
  made.begin(` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')}`, challenge)
})

test('after ten minutes, after five wrong tries, or after a newer one a code is void', async () => {
  const { clock, codes: made } = codes()
  const old = made.issue(undefined)
  clock.advance(10 * 60_000)
  assert.throws(() => made.begin(old.code, challenge), refused)
  assert.deepEqual(made.state(old.id), { state: 'over' })

  const tried = made.issue(undefined)
  for (let wrong = 0; wrong < 4; wrong += 1) assert.throws(() => made.begin('0000-0000-0000-0000', challenge), refused)
  made.begin(tried.code, challenge)
  assert.throws(() => made.begin('0000-0000-0000-0000', challenge), refused)
  assert.throws(() => made.begin(tried.code, challenge), refused)

  const [first, second] = [made.issue(undefined), made.issue(undefined)]
  assert.throws(() => made.begin(first.code, challenge), refused)
  made.begin(second.code, challenge)
})

test('an enrolment that fails is a wrong try, uses its challenge up, and leaves the code', async () => {
  const { codes: made } = codes()
  const { code } = made.issue(undefined)
  await assert.rejects(made.use(code, async () => key), { code: 'enrol.order' })
  for (let wrong = 0; wrong < 5; wrong += 1) {
    made.begin(code, challenge)
    await assert.rejects(made.use(code, () => Promise.reject(new Error('no'))), { message: 'no' })
    if (wrong < 4) await assert.rejects(made.use(code, async () => key), { code: 'enrol.order' })
  }
  assert.throws(() => made.begin(code, challenge), refused)
})

test('of two who use a code at the same time one enrols', async () => {
  const { codes: made } = codes()
  const { code } = made.issue(undefined)
  made.begin(code, challenge)
  const gate = Promise.withResolvers<typeof key>()
  const first = made.use(code, () => gate.promise)
  made.begin(code, challenge)
  await assert.rejects(made.use(code, async () => key), { code: 'enrol.order' })
  gate.resolve(key)
  assert.equal(await first, key)
})
