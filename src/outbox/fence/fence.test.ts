import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { enrolTestPasskey, openTestSession } from '../../../test/support/authenticator.ts'
import { aMail, snapshot, testOutbox, type TestOutbox } from '../../../test/support/outbox.ts'
import { decideDraft } from '../decide-draft.ts'
import { expireDrafts } from '../expire-drafts.ts'
import { readDraftDetail } from '../draft-detail.ts'
import { recoverDrafts } from '../recover-drafts.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { undoDraft } from '../undo-draft.ts'
import { findFence } from './fence.ts'
import { proposeResume } from './resume.ts'

const sent = ({ outgoing }: TestOutbox) => (existsSync(outgoing) ? readdirSync(outgoing).length : 0)
const fenceOf = ({ deps }: TestOutbox) => findFence(deps.database.pool)

/** Two drafts were signed; the one left, and a copy of the database comes back that does not know so. */
async function fenced(t: Parameters<typeof testOutbox>[0]) {
  const outbox = await testOutbox(t)
  const first = await outbox.freeze()
  const restoreEarlier = await snapshot(outbox)
  await outbox.approve(first.id)
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  await restoreEarlier()
  const second = await outbox.freeze({ ...aMail, subject: 'the rest' })
  await outbox.approve(second.id)
  await recoverDrafts(await outbox.reopenSpent())
  outbox.clock.advance(outbox.settings.holdMs)
  return { outbox, second }
}

test('what the operator reads before he lets the rest leave says why nothing does, and what will', async (t) => {
  const { outbox, second } = await fenced(t)
  await releaseDrafts(outbox.deps)
  assert.equal(sent(outbox), 1)
  const { draft } = await proposeResume(outbox.deps)
  const { text } = await readDraftDetail(outbox.deps.database.pool, draft, outbox.clock.now())
  for (const words of ['Nothing has left since 2026-03-02', 'of 1 draft that the file of spent nonces knows', '1 signed draft will leave then', `${second.id.slice(-8)}  the rest`]) assert(text!.includes(words), text!)
  assert.deepEqual((await outbox.audited((await fenceOf(outbox))!.id)), ['outbox.fenced'])
})

test('a session key lifts no fence, nor does the database by itself; an approval that was taken back lifts none either', async (t) => {
  const { outbox } = await fenced(t)
  const { draft } = await proposeResume(outbox.deps)
  const session = await openTestSession(outbox.deps, await enrolTestPasskey(outbox.deps))
  await assert.rejects(decideDraft(outbox.deps, draft, { verdict: 'approve', keyId: session.key.id, signature: session.sign((await outbox.draft(draft)).document) }), { code: 'draft.passkey_needed' })
  const { pool } = outbox.database.as('castellan_releaser')
  await assert.rejects(pool.query('select outbox_resume($1)', [draft]), { code: '42501' })
  await assert.rejects(pool.query('update releaser_state set fence_id = null, fenced_at = null, fence_reason = null'), { code: '42501' })
  await outbox.approve(draft)
  assert.equal((await undoDraft(outbox.deps, draft)).outcome, 'undone')
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  assert(await fenceOf(outbox))
  assert.equal(sent(outbox), 1)
})

test('a word for one fence lifts no other: another copy that comes back takes another word', async (t) => {
  const { outbox } = await fenced(t)
  const { draft } = await proposeResume(outbox.deps)
  await outbox.approve(draft)
  await outbox.database.owner.pool.query('update releaser_state set fence_id = gen_random_uuid()')
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  const { state, reason } = await outbox.draft(draft)
  assert.equal(state, 'failed')
  assert.match(reason!, /does not stand/)
  assert.equal(sent(outbox), 1)
})

test('while it is fenced what is due is taken back as ever, and what is signed waits', async (t) => {
  const { outbox, second } = await fenced(t)
  const third = await outbox.freeze({ ...aMail, subject: 'third' })
  assert.equal((await outbox.approve(third.id)).outcome, 'decided')
  assert.equal((await undoDraft(outbox.deps, second.id)).outcome, 'undone')
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  assert.equal(sent(outbox), 1)
  const { draft } = await proposeResume(outbox.deps)
  await outbox.approve(draft)
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  await releaseDrafts(outbox.deps)
  assert.deepEqual([sent(outbox), (await outbox.draft(third.id)).state], [2, 'released'])
  await assert.rejects(proposeResume(outbox.deps), { code: 'outbox.open' })
})

test('no crash is taken for an older database: releases, edits and approvals that were taken back in the middle fence nothing', async (t) => {
  const outbox = await testOutbox(t)
  await outbox.readyToRelease()
  await releaseDrafts(outbox.deps)
  const held = await outbox.readyToRelease()
  // the file was written, and the releaser stopped before the row said so
  for (const act of ['undo', 'release'] as const) {
    const one = act === 'undo' ? held : await outbox.readyToRelease({ ...aMail, subject: act })
    if (act === 'release') await outbox.database.owner.pool.query(`update draft set state = 'releasing' where id = $1`, [one.id])
    await outbox.deps.spent.spend({ nonce: one.nonce, draft: one.id, item: JSON.parse(one.document).origin.item, act, at: outbox.clock.now().toISOString() })
  }
  const waiting = await outbox.freeze()
  await outbox.deps.spent.spend({ nonce: waiting.nonce, draft: waiting.id, item: JSON.parse(waiting.document).origin.item, act: 'replace', at: outbox.clock.now().toISOString() })
  await recoverDrafts(await outbox.reopenSpent())
  assert.equal(await fenceOf(outbox), undefined)
})

test('a change that failed once the file said so, of a draft that was denied or expired afterwards, fences nothing', async (t) => {
  const outbox = await testOutbox(t)
  for (const [index, end] of (['denied', 'expired'] as const).entries()) {
    const { id, nonce, document } = await outbox.freeze({ ...aMail, subject: end })
    await outbox.deps.spent.spend({ nonce, draft: id, item: JSON.parse(document).origin.item, act: 'replace', at: outbox.clock.now().toISOString() })
    if (index === 0) await decideDraft(outbox.deps, id, { verdict: 'deny' })
    else outbox.clock.advance(outbox.settings.expiryMs.mail)
    await expireDrafts(outbox.deps)
    assert.equal((await outbox.draft(id)).state, end)
  }
  await recoverDrafts(await outbox.reopenSpent())
  assert.equal(await fenceOf(outbox), undefined)
})

test('a run cannot propose that the outbox goes on', async (t) => {
  const outbox = await testOutbox(t)
  await assert.rejects(outbox.propose({}, { kind: 'outbox.resume', connector: 'castellan.outbox' }), { code: '23514' })
})
