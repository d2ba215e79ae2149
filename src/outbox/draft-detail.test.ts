import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { aMail, testOutbox, type TestOutbox } from '../../test/support/outbox.ts'
import { challengeOf } from './document.ts'
import { readDraftDetail } from './draft-detail.ts'
import { editDraft } from './edit-draft.ts'
import { undoDraft } from './undo-draft.ts'

const detail = (outbox: TestOutbox, id: string) => readDraftDetail(outbox.deps.database.pool, id, outbox.clock.now())

/** A mail as the releaser stored it and a worker read it. */
async function arrived(outbox: TestOutbox, messageId: string, envelope: object | null, receivedAt = '2026-03-01T08:00:00Z'): Promise<void> {
  const id = randomUUID()
  await outbox.database.as('castellan_releaser').pool.query(`select mail_store($1, 'sample', 'inbox', $2, convert_to($2, 'UTF8'), $3, 2::smallint, 'untrusted', '{private}')`, [id, id, receivedAt])
  await outbox.database.as('castellan_worker_private').pool.query('select mail_parsed($1, $2, $3, $4, null, 2::smallint)', [id, messageId, JSON.stringify(envelope), 'words of a stranger'])
}

test('the detail shows head, links in full, attachments with hashes, and who may sign', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze({
    ...aMail, subject: 'Grüße', text: 'https://pаypal.com/a and www.example.org', inReplyTo: '<q@x.example>', attachments: [{ name: 'a.pdf', type: 'application/pdf', content: 'aGk=' }],
  })
  const shown = await detail(outbox, id)
  assert.deepEqual(shown.headers.map(({ name }) => name), ['From', 'To', 'In-Reply-To', 'Subject', 'Message-ID', 'Date', 'MIME-Version', 'Content-Type'])
  assert.equal(shown.headers.find(({ name }) => name === 'In-Reply-To')!.value, '<q@x.example>')
  assert.deepEqual(shown.links, ['https://pаypal.com/a', 'https://xn--pypal-4ve.com/a', 'www.example.org'])
  assert.match(shown.link_warnings[0]!.warning!, /xn--/)
  assert.equal(shown.attachments[0]!.sha256, '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4')
  assert.deepEqual(shown.run, { id: shown.origin!.run, job: 'mail-job', step: 'only' })
  assert.equal(shown.session_may_sign, true)
  assert.deepEqual([shown.first, shown.answers], [null, null])
  assert.match(shown.taint!, /^P2 internal, untrusted, lane private: what run .{8} of job mail-job had read when it proposed this in step only, which read what strangers wrote$/)
})

test('a session key is not enough for high risk, nor for what is local only', async (t) => {
  const outbox = await testOutbox(t)
  const risky = await outbox.freeze({ ...aMail, text: 'IBAN' })
  const secret = await outbox.freeze(aMail, { label: { level: 3, integrity: 'trusted', lanes: ['private'] } })
  assert.deepEqual([(await detail(outbox, risky.id)).session_may_sign, (await detail(outbox, secret.id)).session_may_sign], [false, false])
})

test('the mail that it answers is named by its head, the first of those that claim the Message-ID; its text is not shown', async (t) => {
  const outbox = await testOutbox(t)
  await arrived(outbox, '<q@x.example>', { from: { name: '', address: 'eve@evil.example' }, subject: 'later' }, '2026-03-01T09:00:00Z')
  await arrived(outbox, '<q@x.example>', { from: { name: 'Levke', address: 'levke@example.org' }, subject: 'Thursday?' })
  const shown = await detail(outbox, (await outbox.freeze({ ...aMail, inReplyTo: 'q@x.example' })).id)
  assert.deepEqual([shown.answers!.message_id, shown.answers!.subject, shown.answers!.from, shown.answers!.label.word], ['<q@x.example>', 'Thursday?', 'Levke <levke@example.org>', 'P2 internal'])
  assert.match(shown.taint!, /it answers the mail of Levke <levke@example.org> in mailbox sample, which is P2 internal, untrusted/)
  assert(!JSON.stringify(shown).includes('words of a stranger'))
  await arrived(outbox, '<odd@x.example>', null)
  assert.equal((await detail(outbox, (await outbox.freeze({ ...aMail, inReplyTo: '<odd@x.example>' })).id)).answers!.from, null)
})

test('after edits the first proposal stands beside it; after an undo alone nothing does', async (t) => {
  const outbox = await testOutbox(t)
  const first = await outbox.freeze()
  await outbox.approve(first.id)
  const undone = await undoDraft(outbox.deps, first.id)
  assert(undone.outcome === 'undone')
  assert.equal((await detail(outbox, undone.draft)).first, null)
  let id = undone.draft
  for (const text of ['zwei', 'drei']) {
    const edit = { challenge: challengeOf((await outbox.draft(id)).document).toString('hex'), recipients: { to: ['Eva <eva@example.org>'], cc: [], bcc: [] }, subject: 'Termin', text }
    const done = await editDraft(outbox.deps, id, edit)
    assert(done.outcome === 'edited')
    id = done.draft
  }
  const shown = await detail(outbox, id)
  assert.deepEqual(shown.first, { draft: first.id, title: 'Termin', recipients: { to: ['Eva <eva@example.org>'], cc: [], bcc: [] }, text: aMail.text })
  assert.deepEqual(shown.history.map(({ event }) => event).sort(), ['approved', 'frozen', 'frozen', 'frozen', 'frozen', 'replaced', 'replaced', 'undone'])
})
