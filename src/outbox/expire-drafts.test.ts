import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aMail, testOutbox } from '../../test/support/outbox.ts'
import { decideDraft } from './decide-draft.ts'
import { nextMoment } from './draft-store.ts'
import { expireDrafts, wakeForgottenRuns } from './expire-drafts.ts'
import { freezeProposals } from './freeze-proposal.ts'

test('only what waits beyond its deadline expires', async (t) => {
  const outbox = await testOutbox(t)
  const [short, held, long] = [await outbox.freeze({ ...aMail, text: 'IBAN' }), await outbox.freeze({ ...aMail, text: 'IBAN' }), await outbox.freeze()]
  await outbox.approve(held.id)
  outbox.clock.advance(3_600_000)
  assert.equal(await expireDrafts(outbox.deps), 1)
  assert.deepEqual(await Promise.all([short, held, long].map(async ({ id }) => (await outbox.draft(id)).state)), ['expired', 'held', 'waiting'])
})

test('the next moment is the end of a hold or a deadline, whichever is earlier, and one that is over is none', async (t) => {
  const outbox = await testOutbox(t)
  const next = () => nextMoment(outbox.deps.database.pool, outbox.clock.now())
  assert.equal(await next(), undefined)
  const draft = await outbox.freeze()
  assert.deepEqual(await next(), draft.expiresAt)
  const held = await outbox.freeze()
  await outbox.approve(held.id)
  assert.deepEqual(await next(), new Date(outbox.clock.now().getTime() + 10_000))
  outbox.clock.advance(10_000)
  assert.deepEqual(await next(), draft.expiresAt)
})

test('a run that was parked only after its decisions is woken, one that still waits is not', async (t) => {
  const outbox = await testOutbox(t)
  const { owner } = outbox.database
  const { run } = await outbox.propose()
  await outbox.propose(aMail, { run })
  await freezeProposals(outbox.deps)
  const { rows } = await owner.pool.query<{ id: string }>('select id from draft order by id')
  await owner.pool.query(`update run set state = 'running', fence = gen_random_uuid() where id = $1`, [run])
  await decideDraft(outbox.deps, rows[0]!.id, { verdict: 'deny' })
  await owner.pool.query(`update run set state = 'parked', fence = null where id = $1`, [run])
  assert.equal(await wakeForgottenRuns(outbox.deps), 0)
  await owner.pool.query(`update run set state = 'running', fence = gen_random_uuid() where id = $1`, [run])
  await decideDraft(outbox.deps, rows[1]!.id, { verdict: 'deny' })
  assert.deepEqual(outbox.woken, [])
  await owner.pool.query(`update run set state = 'parked', fence = null where id = $1`, [run])
  assert.equal(await wakeForgottenRuns(outbox.deps), 1)
  assert.deepEqual(outbox.woken, [{ queue: 'runs_private', run }])
  assert.equal(await wakeForgottenRuns(outbox.deps), 0)
})
