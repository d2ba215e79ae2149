import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { simpleParser } from 'mailparser'
import { aMail, snapshot, testOutbox, untrustedInternal, type TestOutbox } from '../../test/support/outbox.ts'
import { textOfWire } from './compose/read-wire.ts'
import { createFileConnector } from './connectors/file.ts'
import { decideDraft } from './decide-draft.ts'
import { challengeOf, readDocument } from './document.ts'
import type { Draft } from './draft.ts'
import { editDraft, type DraftEdit } from './edit-draft.ts'
import { expireDrafts, wakeForgottenRuns } from './expire-drafts.ts'
import { recoverDrafts } from './recover-drafts.ts'
import { releaseDrafts } from './release-drafts.ts'
import { undoDraft } from './undo-draft.ts'

const answer = {
  ...aMail, bcc: ['max@example.org'], inReplyTo: '<q1@example.org>', references: ['<q0@example.org>', '<q1@example.org>'],
  attachments: [{ name: 'plan.pdf', type: 'application/pdf', content: Buffer.from('plan').toString('base64') }],
}
const words = { recipients: { to: ['Eva <eva@example.org>'], cc: ['ina@example.org'], bcc: [] }, subject: 'Termin', text: 'Liebe Eva,\n\nlieber um 15:00.\n' }
const editOf = (draft: Draft, changes: Partial<DraftEdit> = {}): DraftEdit => ({ ...words, challenge: challengeOf(draft.document).toString('hex'), ...changes })

async function edited(outbox: TestOutbox, draft: Draft, changes: Partial<DraftEdit> = {}): Promise<Draft> {
  const done = await editDraft(outbox.deps, draft.id, editOf(draft, changes))
  assert(done.outcome === 'edited', JSON.stringify(done))
  return outbox.draft(done.draft)
}

test('an edit is a new document with the words of the operator; attachments, thread, act and label stay', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze(answer)
  outbox.clock.advance(60_000)
  const fresh = await edited(outbox, old)
  const [before, after] = [readDocument(old.document), readDocument(fresh.document)]
  assert.deepEqual(after.recipients, words.recipients)
  assert.deepEqual([after.attachments, after.origin, after.label], [before.attachments, before.origin, before.label])
  assert.equal(after.replaces, old.id)
  assert.notEqual(after.nonce, before.nonce)
  assert.equal(fresh.expiresAt.getTime(), outbox.clock.now().getTime() + outbox.settings.expiryMs.mail)
  const mail = await simpleParser(fresh.wire)
  assert.deepEqual([mail.text, mail.inReplyTo, mail.references], [words.text, '<q1@example.org>', ['<q0@example.org>', '<q1@example.org>']])
  assert.equal(mail.attachments[0]!.content.toString(), 'plan')
  assert.equal((await outbox.draft(old.id)).state, 'replaced')
  assert.deepEqual(await outbox.audited(old.id), ['draft.frozen', 'draft.edited'])
  assert.deepEqual(await outbox.audited(fresh.id), ['draft.frozen'])
  const { rows } = await outbox.database.owner.pool.query('select detail::text from audit_event where subject = any ($1)', [[old.id, fresh.id]])
  assert(!JSON.stringify(rows).includes('15:00'))
})

test('exactly the edited bytes leave, once, and the original cannot be signed, edited, or taken back any more', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze(answer)
  const fresh = await edited(outbox, old)
  assert.deepEqual(await outbox.approve(old.id), { outcome: 'too_late', was: 'replaced' })
  assert.deepEqual(await decideDraft(outbox.deps, old.id, { verdict: 'deny' }), { outcome: 'too_late', was: 'replaced' })
  assert.deepEqual(await editDraft(outbox.deps, old.id, editOf(old)), { outcome: 'too_late', was: 'replaced' })
  assert.deepEqual(await undoDraft(outbox.deps, old.id), { outcome: 'too_late', was: 'replaced' })
  await assert.rejects(decideDraft(outbox.deps, fresh.id, { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign(old.document) }), { code: 'draft.signature' })
  await outbox.approve(fresh.id)
  outbox.clock.advance(10_000)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.deepEqual(readdirSync(outbox.outgoing), [`${fresh.id}.eml`])
  assert.deepEqual(readFileSync(join(outbox.outgoing, `${fresh.id}.eml`)), fresh.wire)
})

test('of two tabs the second finds what the first did', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze()
  await assert.rejects(editDraft(outbox.deps, old.id, editOf(old, { challenge: 'ab'.repeat(32) })), { kind: 'conflict', code: 'draft.changed' })
  assert.equal((await outbox.draft(old.id)).state, 'waiting')
  const outcomes = await Promise.all(['one', 'two', 'three'].map((text) => editDraft(outbox.deps, old.id, editOf(old, { text }))))
  assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['edited', 'too_late', 'too_late'])
  const { rows } = await outbox.database.owner.pool.query(`select count(*)::int from draft where state = 'waiting'`)
  assert.equal(rows[0].count, 1)
})

test('an edit and an approval at the same time have one winner', async (t) => {
  const outbox = await testOutbox(t)
  for (let round = 0; round < 4; round += 1) {
    const old = await outbox.freeze()
    const outcomes = await Promise.all([outbox.approve(old.id), editDraft(outbox.deps, old.id, editOf(old))])
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'too_late').length, 1)
    assert(['held', 'replaced'].includes((await outbox.draft(old.id)).state))
  }
})

test('words that cannot be sent are refused as at a first freeze, and the draft waits on as it was', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze(answer)
  const wrong: [Partial<DraftEdit>, string][] = [
    [{ recipients: { to: [], cc: [], bcc: [] } }, 'mail.payload'], [{ recipients: { to: ['nobody'], cc: [], bcc: [] } }, 'mail.address'],
    [{ subject: 'x\r\nBcc: y@z.example' }, 'mail.control'], [{ text: 'left \u202Eright' }, 'mail.control'], [{ text: 'x'.repeat(1024 * 1024 + 1) }, 'mail.limit'],
    [{ recipients: { to: ['"eva@example.org" <eve@evil.example>'], cc: [], bcc: [] } }, 'mail.address'],
  ]
  for (const [changes, code] of wrong) await assert.rejects(editDraft(outbox.deps, old.id, editOf(old, changes)), { kind: 'invalid', code })
  assert.deepEqual(await outbox.draft(old.id), old)
  assert.equal(outbox.deps.spent.find(old.nonce), undefined)
  assert.equal((await outbox.approve(old.id)).outcome, 'decided')
})

test('risk and deadline are those of the new words, and the label stays though the run behind it is clean', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze(aMail, { label: untrustedInternal })
  const risky = await edited(outbox, old, { text: 'Unsere neue IBAN ist DE89 3704 0044 0532 0130 00' })
  assert(risky.risk >= 7)
  assert.equal(risky.expiresAt.getTime() - risky.frozenAt.getTime(), outbox.settings.expiryMs.highRisk)
  const calm = await edited(outbox, risky)
  assert(calm.risk < 7)
  assert.deepEqual(calm.label, untrustedInternal)
  // nobody wins time by an edit that comes too late
  outbox.clock.set(calm.expiresAt)
  assert.deepEqual(await editDraft(outbox.deps, calm.id, editOf(calm)), { outcome: 'too_late', was: 'expired' })
})

test('a row or a proposal that was altered cannot be laundered by an edit', async (t) => {
  const outbox = await testOutbox(t, {
    connectors: (path) => ['file', 'other'].map((name) => createFileConnector({ name, path: join(path, name), from: 'Haus <haus@example.org>' })),
  })
  const { pool } = outbox.database.owner
  const one = await outbox.freeze(answer)
  await pool.query(`update proposal set payload = jsonb_set(payload, '{attachments,0,content}', '"ZXZpbA=="') where id = $1`, [one.proposalId])
  await assert.rejects(editDraft(outbox.deps, one.id, editOf(one)), { code: 'draft.altered' })
  const answering = await outbox.freeze({ ...aMail, inReplyTo: '<1@example.org>' })
  await pool.query(`update proposal set payload = payload || '{"inReplyTo":"<other@example.org>"}' where id = $1`, [answering.proposalId])
  await assert.rejects(editDraft(outbox.deps, answering.id, editOf(answering)), { code: 'draft.altered', message: /thread/ })
  await pool.query(`update proposal set payload = payload || '{"inReplyTo":"<1@example.org>"}', connector = 'other' where id = $1`, [answering.proposalId])
  await assert.rejects(editDraft(outbox.deps, answering.id, editOf(answering)), { code: 'draft.altered', message: /connector/ })
  const two = await outbox.freeze()
  await pool.query(`alter table draft disable trigger all; update draft set label_level = 0 where id = '${two.id}'; alter table draft enable trigger all`)
  await assert.rejects(editDraft(outbox.deps, two.id, editOf(two)), { code: 'draft.altered' })
  assert.equal((await outbox.draft(two.id)).state, 'waiting')
})

test('the run that waits goes on waiting for the successor, and ends with it', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze()
  const fresh = await edited(outbox, old)
  assert.equal(await wakeForgottenRuns(outbox.deps), 0)
  assert.deepEqual(outbox.woken, [])
  const states = async () => (await outbox.database.as('castellan_worker_private').pool.query('select state from proposal_states($1)', [[old.proposalId]])).rows
  assert.deepEqual(await states(), [{ state: 'waiting' }])
  outbox.clock.set(fresh.expiresAt)
  await expireDrafts(outbox.deps)
  assert.equal(outbox.woken.length, 1)
  assert.deepEqual(await states(), [{ state: 'expired' }])
})

test('a database restored from before the edit cannot bring the original to a signature that was made for it', async (t) => {
  for (const released of [false, true]) {
    const outbox = await testOutbox(t)
    const old = await outbox.freeze()
    const signature = outbox.key.sign(old.document) // signed in another tab, and refused in time
    const restore = await snapshot(outbox)
    const fresh = await edited(outbox, old)
    if (released) {
      await outbox.approve(fresh.id)
      outbox.clock.advance(10_000)
      assert.equal((await releaseDrafts(outbox.deps)).released, 1)
    }
    for (const recovered of [false, true]) {
      await restore()
      if (recovered) await recoverDrafts(await outbox.reopenSpent())
      const was = released ? 'unknown' : 'replaced'
      assert.deepEqual(await decideDraft(outbox.deps, old.id, { verdict: 'approve', keyId: outbox.key.id, signature }), { outcome: 'too_late', was })
      assert.equal((await outbox.draft(old.id)).state, was)
      const { rows } = await outbox.database.owner.pool.query<{ id: string }>(`select id from draft where state = 'waiting'`)
      assert.equal(rows.length, released ? 0 : 1)
      if (!rows[0]) continue
      // the words from before wait under another document, which says what happened to it
      const again = await outbox.draft(rows[0].id)
      assert.deepEqual([again.replaces, textOfWire(again.wire)], [old.id, aMail.text])
      assert.match(readDocument(again.document).reasons.at(-1)!, /an edit of it was lost/)
      await assert.rejects(decideDraft(outbox.deps, again.id, { verdict: 'approve', keyId: outbox.key.id, signature }), { code: 'draft.signature' })
    }
  }
})

test('after the file was lost the new one knows what was changed, as long as the database does', async (t) => {
  const outbox = await testOutbox(t)
  await outbox.readyToRelease()
  await releaseDrafts(outbox.deps)
  const old = await outbox.freeze()
  const signature = outbox.key.sign(old.document)
  const restore = await snapshot(outbox)
  const fresh = await edited(outbox, old)
  await outbox.deps.spent.close()
  rmSync(join(outbox.folder, 'spent-nonces.jsonl'))
  const deps = await outbox.reopenSpent()
  await recoverDrafts(deps)
  assert.deepEqual([deps.spent.find(old.nonce)?.act, (await outbox.draft(fresh.id)).state], ['replace', 'waiting'])
  await restore()
  assert.deepEqual(await decideDraft(deps, old.id, { verdict: 'approve', keyId: outbox.key.id, signature }), { outcome: 'too_late', was: 'replaced' })
})

test('an act whose edit was released is not edited and released again on a restored database', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze()
  const restore = await snapshot(outbox)
  const fresh = await edited(outbox, old)
  await outbox.approve(fresh.id)
  outbox.clock.advance(10_000)
  await releaseDrafts(outbox.deps)
  await restore()
  assert.deepEqual(await editDraft(outbox.deps, old.id, editOf(old)), { outcome: 'too_late', was: 'unknown' })
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  assert.equal(readdirSync(outbox.outgoing).length, 1)
})

test('a held draft of an act that another draft of it released is not released', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze()
  await outbox.approve(old.id)
  const undone = await undoDraft(outbox.deps, old.id)
  assert(undone.outcome === 'undone')
  const restore = await snapshot(outbox)
  const fresh = await edited(outbox, await outbox.draft(undone.draft))
  await outbox.approve(fresh.id)
  outbox.clock.advance(10_000)
  await releaseDrafts(outbox.deps)
  await restore()
  const { pool } = outbox.database.owner
  await pool.query(`alter table draft disable trigger all; update draft set state = 'held', hold_until = now() - interval '1 year' where id = '${undone.draft}'; alter table draft enable trigger all`)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  assert.match((await outbox.draft(undone.draft)).reason!, new RegExp(`released on .* as draft ${fresh.id}`))
})

test('when the nonce cannot be written nothing changes', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze()
  const deps = await outbox.reopenSpent({ append: () => Promise.reject(new Error('disk full')) })
  await assert.rejects(editDraft(deps, old.id, editOf(old)), { code: 'nonce.unwritable' })
  assert.deepEqual(await outbox.draft(old.id), old)
})
