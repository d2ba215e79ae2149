import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { aMail, snapshot, testOutbox, type TestOutbox } from '../../test/support/outbox.ts'
import { decideDraft } from './decide-draft.ts'
import { challengeOf, readDocument } from './document.ts'
import { editDraft } from './edit-draft.ts'
import { expireDrafts } from './expire-drafts.ts'
import { nextMoment } from './draft-store.ts'
import { recoverDrafts } from './recover-drafts.ts'
import { releaseDrafts } from './release-drafts.ts'
import { scheduleDraft } from './schedule-draft.ts'
import { undoDraft } from './undo-draft.ts'

const hour = 3_600_000
const sent = ({ outgoing }: TestOutbox) => (existsSync(outgoing) ? readdirSync(outgoing).length : 0)
const later = ({ clock }: TestOutbox, ms: number) => new Date(clock.now().getTime() + ms)
const challenge = async (outbox: TestOutbox, id: string) => challengeOf((await outbox.draft(id)).document).toString('hex')

async function schedule(outbox: TestOutbox, id: string, notBefore: Date | null): Promise<string> {
  const done = await scheduleDraft(outbox.deps, id, { challenge: await challenge(outbox, id), not_before: notBefore })
  assert(done.outcome === 'scheduled', JSON.stringify(done))
  return done.draft
}

test('the time stands in what is signed, the rest stays, and what was without it can never be signed', async (t) => {
  const outbox = await testOutbox(t)
  const before = await outbox.freeze()
  const at = later(outbox, 100 * hour)
  const id = await schedule(outbox, before.id, at)
  const [old, fresh] = [readDocument(before.document), readDocument((await outbox.draft(id)).document)]
  assert.equal(fresh.not_before, at.toISOString())
  assert.deepEqual({ ...fresh, id: '', nonce: '', replaces: null, not_before: null }, { ...old, id: '', nonce: '' })
  assert.equal((await outbox.draft(before.id)).state, 'replaced')
  assert.equal((await outbox.approve(before.id)).outcome, 'too_late')
  assert.deepEqual(await outbox.audited(before.id), ['draft.frozen', 'draft.edited'])
  assert.equal(readDocument((await outbox.draft(await schedule(outbox, id, null))).document).not_before, null)
})

test('it leaves at its time and not before, though its deadline passes meanwhile and the releaser is started again', async (t) => {
  const outbox = await testOutbox(t)
  const at = later(outbox, 100 * hour)
  const id = await schedule(outbox, (await outbox.freeze()).id, at)
  const decided = await outbox.approve(id)
  assert.deepEqual(decided, { outcome: 'decided', state: 'held', holdUntil: at })
  outbox.clock.advance(100 * hour - 1)
  await recoverDrafts(await outbox.reopenSpent())
  await expireDrafts(outbox.deps)
  await releaseDrafts(outbox.deps)
  assert.deepEqual([(await outbox.draft(id)).state, sent(outbox)], ['held', 0])
  assert.deepEqual(await nextMoment(outbox.deps.database.pool, outbox.clock.now()), at, 'the releaser wakes for it')
  outbox.clock.advance(1)
  await releaseDrafts(outbox.deps)
  assert.deepEqual([(await outbox.draft(id)).state, sent(outbox)], ['released', 1])
})

test('who was asleep at that time still leaves as long as it had to be signed in, and no longer', async (t) => {
  const outbox = await testOutbox(t)
  const ids = []
  for (const text of ['in time', 'too late']) ids.push(await schedule(outbox, (await outbox.freeze({ ...aMail, text })).id, later(outbox, hour)))
  for (const id of ids) await outbox.approve(id)
  outbox.clock.advance(hour + 72 * hour)
  await outbox.database.owner.pool.query(`update draft set hold_until = $2 where id = $1`, [ids[1], later(outbox, hour)])
  await releaseDrafts(outbox.deps)
  outbox.clock.advance(hour)
  await releaseDrafts(outbox.deps)
  assert.deepEqual(await Promise.all(ids.map(async (id) => (await outbox.draft(id)).state)), ['released', 'failed'])
  assert.equal(sent(outbox), 1)
})

test('until it leaves it can be taken back; then it waits with its time, which can be changed', async (t) => {
  const outbox = await testOutbox(t)
  const at = later(outbox, 5 * hour)
  const id = await schedule(outbox, (await outbox.freeze()).id, at)
  await outbox.approve(id)
  outbox.clock.advance(4 * hour)
  const undone = await undoDraft(outbox.deps, id)
  assert(undone.outcome === 'undone')
  assert.deepEqual((await outbox.draft(undone.draft)).notBefore, at)
  outbox.clock.advance(2 * hour)
  await releaseDrafts(outbox.deps)
  assert.equal(sent(outbox), 0)
  const { recipients, title } = readDocument((await outbox.draft(undone.draft)).document)
  const edited = await editDraft(outbox.deps, undone.draft, { challenge: await challenge(outbox, undone.draft), recipients, subject: title, text: 'other words' })
  assert(edited.outcome === 'edited')
  assert.deepEqual((await outbox.draft(edited.draft)).notBefore, at, 'an edit of the words keeps the time')
})

test('neither the releaser nor a row that was altered lets it leave before: the database refuses, and the document is read again', async (t) => {
  const outbox = await testOutbox(t)
  const id = await schedule(outbox, (await outbox.freeze()).id, later(outbox, 5 * hour))
  await outbox.approve(id)
  const releaser = outbox.database.as('castellan_releaser').pool
  await assert.rejects(releaser.query('update draft set hold_until = $2 where id = $1', [id, outbox.clock.now()]), { code: '23514' })
  await assert.rejects(releaser.query('update draft set not_before = null where id = $1', [id]), { code: '42501' })
  const owner = outbox.database.owner.pool
  await owner.query('alter table draft drop constraint draft_not_before')
  await owner.query('update draft set hold_until = $2 where id = $1', [id, outbox.clock.now()])
  await releaseDrafts(outbox.deps)
  assert.deepEqual([(await outbox.draft(id)).state, sent(outbox)], ['held', 0])
  await owner.query('update draft set hold_until = $2, not_before = null where id = $1', [id, outbox.clock.now()])
  await releaseDrafts(outbox.deps)
  const { state, reason } = await outbox.draft(id)
  assert.deepEqual([state, sent(outbox)], ['failed', 0])
  assert.match(reason!, /altered after the freeze/)
})

test('a time that has passed, is too far away, or of another draft than was looked at is refused, and nothing changes', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  for (const at of [outbox.clock.now(), later(outbox, 28 * 24 * hour)]) await assert.rejects(schedule(outbox, id, at), { code: 'draft.time' })
  await assert.rejects(scheduleDraft(outbox.deps, id, { challenge: '00'.repeat(32), not_before: later(outbox, hour) }), { code: 'draft.changed' })
  assert.equal((await outbox.draft(id)).state, 'waiting')
  await outbox.approve(id)
  assert.deepEqual(await scheduleDraft(outbox.deps, id, { challenge: await challenge(outbox, id), not_before: later(outbox, hour) }), { outcome: 'too_late', was: 'held' })
})

test('a database restored from before the time was set cannot be made to release at once what was signed for then', async (t) => {
  const outbox = await testOutbox(t)
  const before = await outbox.freeze()
  const signature = outbox.key.sign(before.document)
  const restore = await snapshot(outbox)
  await schedule(outbox, before.id, later(outbox, hour))
  await restore()
  await recoverDrafts(outbox.deps)
  assert.equal((await outbox.draft(before.id)).state, 'replaced')
  const { rows } = await outbox.deps.database.pool.query<{ id: string; state: string }>('select id, state from draft where replaces = $1', [before.id])
  assert.equal(rows[0]!.state, 'waiting')
  await assert.rejects(decideDraft(outbox.deps, rows[0]!.id, { verdict: 'approve', keyId: outbox.key.id, signature }), { code: 'draft.signature' })
})
