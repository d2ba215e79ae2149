import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { aMail, testOutbox } from '../../test/support/outbox.ts'
import { releaseDrafts } from './release-drafts.ts'
import { resolveDraft } from './resolve-draft.ts'
import { undoDraft } from './undo-draft.ts'

const hour = 3_600_000
const limited = (limits: { hour?: number; day?: number }) => ({ settings: { connectors: [{ name: 'file', kind: 'file' as const, path: '/', from: '', limits }] } })

test('what is over the limit of an hour is held until there is room, says so, and leaves then', async (t) => {
  const outbox = await testOutbox(t, limited({ hour: 2 }))
  const drafts = []
  for (let count = 0; count < 4; count += 1) drafts.push(await outbox.readyToRelease())
  const left = () => (existsSync(outbox.outgoing) ? readdirSync(outbox.outgoing).length : 0)
  const began = outbox.clock.now()
  assert.equal((await releaseDrafts(outbox.deps)).released, 2)
  const held = await outbox.draft(drafts[2]!.id)
  assert.equal(held.state, 'held')
  assert.deepEqual(held.holdUntil, new Date(began.getTime() + hour))
  assert.match(held.reason!, /through file leave 2 an hour at most; it leaves at /)
  assert.deepEqual((await outbox.audited(held.id)).slice(-1), ['draft.held'])
  outbox.clock.advance(hour - 1)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  outbox.clock.advance(1)
  assert.equal((await releaseDrafts(outbox.deps)).released, 2)
  assert.equal(left(), 4)
  assert.equal((await outbox.draft(held.id)).reason, null)
})

test('the limit of a day holds where that of an hour does not, and a longer wait wins', async (t) => {
  const outbox = await testOutbox(t, limited({ hour: 1, day: 2 }))
  for (let count = 0; count < 3; count += 1) await outbox.readyToRelease()
  const began = outbox.clock.now()
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  outbox.clock.advance(hour)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  outbox.clock.advance(hour)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  outbox.clock.set(new Date(began.getTime() + 24 * hour))
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
})

test('a draft of which nobody knows whether it left counts, one that certainly did not does not', async (t) => {
  const outbox = await testOutbox(t, limited({ hour: 1 }))
  const [first, second] = [await outbox.readyToRelease(), await outbox.readyToRelease()]
  const { owner } = outbox.database
  await owner.pool.query(`update draft set state = 'releasing' where id = $1`, [first.id])
  await owner.pool.query(`insert into delivery (id, draft_id, nonce, started_at) values (gen_random_uuid(), $1, $2, $3)`, [first.id, first.nonce, outbox.clock.now()])
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  await owner.pool.query(`update draft set state = 'unknown' where id = $1`, [first.id])
  await owner.pool.query(`update delivery set state = 'unknown', closed_at = $2 where draft_id = $1`, [first.id, outbox.clock.now()])
  outbox.clock.advance(hour - 1)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  await resolveDraft(outbox.deps, first.id, 'failed', 'it did not arrive')
  outbox.clock.advance(1)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.equal((await outbox.draft(second.id)).state, 'released')
})

test('while it waits for room it can be undone, and it does not outlive what was signed', async (t) => {
  const outbox = await testOutbox(t, limited({ hour: 1 }))
  const risky = { ...aMail, text: 'IBAN DE89370400440532013000' }
  await outbox.readyToRelease()
  const [undone, late] = [await outbox.readyToRelease(), await outbox.readyToRelease(risky)]
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  const held = await outbox.draft(late.id)
  assert.match(held.reason!, /its signature ends at .*raise the limit/)
  assert.equal((await undoDraft(outbox.deps, undone.id)).outcome, 'undone')
  outbox.clock.set(held.holdUntil!)
  await releaseDrafts(outbox.deps)
  const failed = await outbox.draft(late.id)
  assert.deepEqual([failed.state, /could not leave before/.test(failed.reason!)], ['failed', true])
})
