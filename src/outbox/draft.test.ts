import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testDatabase } from '../../test/support/database.ts'
import { decide, draftStates, lastRelease, mayMove, undo } from './draft.ts'

const notBefore = null
const expiresAt = new Date('2026-03-02T12:00:00.000Z')
const before = new Date('2026-03-02T11:59:59.999Z')
const anyState = fc.constantFrom(...draftStates)

test('a signature in time holds, and comes too late from the deadline on', () => {
  assert.deepEqual(decide({ state: 'waiting', expiresAt, notBefore }, 'approve', before, 10_000), { outcome: 'decided', state: 'held', holdUntil: new Date(before.getTime() + 10_000) })
  assert.deepEqual(decide({ state: 'waiting', expiresAt, notBefore }, 'approve', expiresAt, 10_000), { outcome: 'too_late', was: 'expired' })
  assert.deepEqual(decide({ state: 'waiting', expiresAt, notBefore }, 'deny', expiresAt, 10_000), { outcome: 'too_late', was: 'expired' })
})

test('only a waiting draft can be decided, and only a held one taken back', () => {
  fc.assert(fc.property(anyState, fc.constantFrom('approve', 'deny'), fc.date({ noInvalidDate: true }), (state, verdict, now) => {
    const decision = decide({ state, expiresAt, notBefore }, verdict, now, 10_000)
    assert.equal(decision.outcome, state === 'waiting' && now < expiresAt ? 'decided' : 'too_late')
    if (decision.outcome === 'too_late' && state !== 'waiting') assert.equal(decision.was, state)
    assert.equal(undo({ state }).outcome, state === 'held' ? 'undone' : 'too_late')
  }))
})

test('what a decision leads to is a move that the table allows', () => {
  fc.assert(fc.property(fc.constantFrom('approve', 'deny'), (verdict) => {
    const decision = decide({ state: 'waiting', expiresAt, notBefore }, verdict, before, 0)
    assert(decision.outcome === 'decided')
    assert(decision.state === 'denied' ? mayMove('waiting', 'denied') : mayMove('waiting', 'signed') && mayMove('signed', decision.state))
  }))
})

test('from no end does a way lead back to the release', () => {
  for (const end of ['released', 'failed', 'denied', 'expired', 'undone', 'replaced'] as const) {
    for (const to of draftStates) assert(!mayMove(end, to), `${end} to ${to}`)
  }
  assert(!draftStates.some((state) => state !== 'held' && mayMove(state, 'releasing')))
})

test('the last moment of a release follows from the signed deadline', () => {
  assert.deepEqual(lastRelease({ frozenAt: new Date('2026-03-02T09:00:00.000Z'), expiresAt, notBefore }, 10_000), new Date('2026-03-02T12:01:10.000Z'))
})

test('what has a set time is held until then, and may leave as long from then on as it had to be signed in', () => {
  const [frozenAt, later] = [new Date('2026-03-02T09:00:00.000Z'), new Date('2026-03-04T09:00:00.000Z')]
  const decision = decide({ state: 'waiting', expiresAt, notBefore: later }, 'approve', frozenAt, 10_000)
  assert.deepEqual(decision, { outcome: 'decided', state: 'held', holdUntil: later })
  assert.deepEqual(lastRelease({ frozenAt, expiresAt, notBefore: later }, 10_000), new Date('2026-03-04T12:01:10.000Z'))
  const soon = new Date(frozenAt.getTime() + 1_000)
  assert.deepEqual(decide({ state: 'waiting', expiresAt, notBefore: soon }, 'approve', frozenAt, 10_000), { outcome: 'decided', state: 'held', holdUntil: new Date(frozenAt.getTime() + 10_000) })
})

test('the database allows exactly the moves of the table, along any way through the states', async (t) => {
  const { owner } = await testDatabase(t)
  // the row stands for itself here; what it refers to is not what is tested
  await owner.pool.query(`create table probe (state text not null); insert into probe values ('waiting');
    create trigger moves before update on probe for each row execute function draft_moves()`)
  const { rows } = await owner.pool.query<{ check: string }>(
    `select pg_get_constraintdef(oid) as check from pg_constraint where conrelid = 'draft'::regclass and conname = 'draft_state_check'`,
  )
  assert.deepEqual([...rows[0]!.check.matchAll(/'(\w+)'/g)].map((match) => match[1]).sort(), [...draftStates].sort())

  const allowed = (from: string, to: string) =>
    owner.transaction(async (client) => {
      await client.query('alter table probe disable trigger moves')
      await client.query('update probe set state = $1', [from])
      await client.query('alter table probe enable trigger moves')
      return client.query('update probe set state = $1', [to]).then(() => true, (error: { code: string }) => {
        if (error.code !== 'CA002') throw error
        throw new Refused()
      })
    }).catch((error: unknown) => {
      if (error instanceof Refused) return false
      throw error
    })
  for (const from of draftStates) {
    for (const to of draftStates) assert.equal(await allowed(from, to), from === to || mayMove(from, to), `${from} to ${to}`)
  }
  await fc.assert(
    fc.asyncProperty(fc.array(anyState, { minLength: 1, maxLength: 8 }), async (way) => {
      let state: (typeof draftStates)[number] = 'waiting'
      for (const to of way) {
        assert.equal(await allowed(state, to), to === state || mayMove(state, to))
        if (mayMove(state, to)) state = to
      }
    }),
    { numRuns: 20 },
  )
})

class Refused extends Error {}
