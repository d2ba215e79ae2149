import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { aMail, enrolKey, testOutbox } from '../../test/support/outbox.ts'
import { connect } from '../kernel/database/connect.ts'
import { createFileConnector } from './connectors/file.ts'
import { decideDraft } from './decide-draft.ts'
import { challengeOf, sha256, writeDocument, type DraftDocument } from './document.ts'
import type { Draft } from './draft.ts'
import { expireDrafts } from './expire-drafts.ts'
import { releaseDrafts } from './release-drafts.ts'

test('an approval holds the draft, with its decision and the audit', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  assert.deepEqual(await outbox.approve(id), { outcome: 'decided', state: 'held', holdUntil: new Date(outbox.clock.now().getTime() + 10_000) })
  assert.equal((await outbox.draft(id)).state, 'held')
  assert.deepEqual(await outbox.audited(id), ['draft.frozen', 'draft.decided'])
  assert.deepEqual(outbox.woken, [])
})

test('a denial needs no key, ends the draft and wakes the run; its reason stays out of the audit', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  assert.equal((await decideDraft(outbox.deps, id, { verdict: 'deny', reason: 'Eva is ill' })).outcome, 'decided')
  const draft = await outbox.draft(id)
  assert.equal(draft.state, 'denied')
  assert.equal(draft.reason, 'Eva is ill')
  assert.equal(outbox.woken.length, 1)
  const { rows } = await outbox.database.owner.pool.query(`select detail::text from audit_event where subject = $1`, [id])
  assert(!JSON.stringify(rows).includes('ill'))
})

test('of decisions that come at the same time one is taken, and the others are told which', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  const outcomes = await Promise.all([outbox.approve(id), decideDraft(outbox.deps, id, { verdict: 'deny' }), outbox.approve(id), decideDraft(outbox.deps, id, { verdict: 'deny' })])
  assert.equal(outcomes.filter(({ outcome }) => outcome === 'decided').length, 1)
  const { state } = await outbox.draft(id)
  for (const outcome of outcomes) if (outcome.outcome === 'too_late') assert.equal(outcome.was, state)
  const { rows } = await outbox.database.owner.pool.query('select count(*) from decision')
  assert.equal(rows[0].count, 1)
})

test('the replay of an approval changes nothing, at no stage', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  await outbox.approve(id)
  assert.deepEqual(await outbox.approve(id), { outcome: 'too_late', was: 'held' })
  outbox.clock.advance(10_000)
  await releaseDrafts(outbox.deps)
  assert.deepEqual(await outbox.approve(id), { outcome: 'too_late', was: 'released' })
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
})

test('a signature for one draft does not release another', async (t) => {
  const outbox = await testOutbox(t)
  const [one, two] = [await outbox.freeze(), await outbox.freeze()]
  await assert.rejects(decideDraft(outbox.deps, two.id, { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign(one.document) }), { code: 'draft.signature' })
  assert.equal((await outbox.draft(two.id)).state, 'waiting')
  assert.deepEqual(await outbox.audited(two.id), ['draft.frozen', 'draft.refused'])
})

test('a signature that comes too late is not taken, before the sweep and after it', async (t) => {
  const outbox = await testOutbox(t)
  const { id, expiresAt } = await outbox.freeze()
  outbox.clock.set(new Date(expiresAt.getTime() - 1))
  assert.equal(await expireDrafts(outbox.deps), 0)
  outbox.clock.set(expiresAt)
  assert.deepEqual(await outbox.approve(id), { outcome: 'too_late', was: 'expired' })
  assert.equal(await expireDrafts(outbox.deps), 1)
  assert.deepEqual(await outbox.approve(id), { outcome: 'too_late', was: 'expired' })
  assert.equal((await outbox.draft(id)).state, 'expired')
  assert.equal(outbox.woken.length, 1)
  assert.deepEqual(await outbox.audited(id), ['draft.frozen', 'draft.expired'])
})

test('a draft that is not there cannot be decided', async (t) => {
  const outbox = await testOutbox(t)
  await assert.rejects(decideDraft(outbox.deps, '019514a0-0000-7000-8000-000000000001', { verdict: 'deny' }), { code: 'draft.missing' })
})

test('only an enrolled, unrevoked key in its scope releases', async (t) => {
  const outbox = await testOutbox(t, { connectors: (path) => [
    createFileConnector({ name: 'file', path, from: 'haus@example.org' }),
    { ...createFileConnector({ name: 'smtp', path, from: 'haus@example.org' }), kind: 'smtp', zone: 'internet' },
  ] })
  const demonstration = await enrolKey(outbox.deps, 'demonstration')
  const revoked = await enrolKey(outbox.deps, 'operator')
  await outbox.deps.keys.revoke(revoked.id, outbox.clock.now())
  const [file, smtp] = [await outbox.freeze(), await outbox.freeze(aMail, { connector: 'smtp' })]
  const approve = (draft: { id: string; document: string }, key: typeof demonstration, keyId = key.id) =>
    decideDraft(outbox.deps, draft.id, { verdict: 'approve', keyId, signature: key.sign(draft.document) })
  await assert.rejects(approve(file, revoked), { code: 'draft.key' })
  await assert.rejects(approve(file, demonstration, 'ed25519:0000000000000000'), { code: 'draft.key' })
  await assert.rejects(approve(file, demonstration, outbox.key.id), { code: 'draft.signature' })
  await assert.rejects(approve(smtp, demonstration), { code: 'draft.key', message: /demonstration key/ })
  assert.equal((await approve(file, demonstration)).outcome, 'decided')
  assert.equal((await approve(smtp, outbox.key)).outcome, 'decided')
})

test('local-only content leaves this machine by no key that is no passkey', async (t) => {
  const outbox = await testOutbox(t, { connectors: (path) => [
    createFileConnector({ name: 'file', path, from: 'haus@example.org' }),
    { ...createFileConnector({ name: 'smtp', path, from: 'haus@example.org' }), kind: 'smtp', zone: 'internet' },
  ] })
  const label = { level: 3, integrity: 'trusted', lanes: ['private'] } as const
  const smtp = await outbox.freeze(aMail, { connector: 'smtp', label })
  await assert.rejects(outbox.approve(smtp.id), { code: 'draft.label' })
  assert.equal((await outbox.approve((await outbox.freeze(aMail, { label })).id)).outcome, 'decided')
})

/** Every leaf of the document, with another value in its place. */
function* alterations(value: unknown, path: string[] = []): Generator<{ path: string[]; value: unknown }> {
  if (Array.isArray(value)) {
    yield { path, value: [...value, 'eva@evil.example'] }
    for (const [index, item] of value.entries()) yield* alterations(item, [...path, String(index)])
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) yield* alterations(item, [...path, key])
  } else if (typeof value === 'number') yield { path, value: value === 1 ? 2 : value - 1 }
  else if (value === null) yield { path, value: '019514a0-0000-7000-8000-000000000009' }
  else if (value === 'untrusted') yield { path, value: 'trusted' }
  else if (/^[0-9a-f]{64}$/.test(String(value))) yield { path, value: sha256('other') }
  else if (/^[0-9a-f-]{36}$/.test(String(value))) yield { path, value: '019514a0-0000-7000-8000-000000000009' }
  else if (/^\d{4}-.*Z$/.test(String(value))) yield { path, value: '2026-03-01T09:00:00.000Z' }
  else yield { path, value: `${String(value)}x` }
}

function altered(document: DraftDocument, { path, value }: { path: string[]; value: unknown }): string {
  const copy = structuredClone(document) as unknown as Record<string, unknown>
  const parent = path.slice(0, -1).reduce<Record<string, unknown>>((node, key) => node[key] as Record<string, unknown>, copy)
  parent[path.at(-1)!] = value
  try {
    return writeDocument(copy as DraftDocument)
  } catch {
    return JSON.stringify(copy)
  }
}

test('whichever field of a signed document is changed, before the signature or after it, nothing is released', async (t) => {
  const outbox = await testOutbox(t)
  const payload = { ...aMail, cc: ['carla@example.org'], bcc: ['max@example.org'], attachments: [{ name: 'a.pdf', type: 'application/pdf', content: 'aGk=' }] }
  const waiting = await outbox.freeze(payload)
  const held = await outbox.freeze(payload)
  await outbox.approve(held.id)
  outbox.clock.advance(10_000)
  const { owner } = outbox.database
  const put = (id: string, document: string) => owner.pool.query('update draft set document = $2 where id = $1', [id, document])
  let tried = 0
  for (const alteration of alterations(JSON.parse(waiting.document))) {
    const where = alteration.path.join('.')
    // the signature is over what was shown; what is stored is another thing
    const changed = altered(JSON.parse(waiting.document) as DraftDocument, alteration)
    await put(waiting.id, changed)
    await assert.rejects(
      decideDraft(outbox.deps, waiting.id, { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign(waiting.document) }),
      { kind: 'refused' }, where,
    )
    await put(held.id, altered(JSON.parse(held.document) as DraftDocument, alteration))
    assert.equal((await releaseDrafts(outbox.deps)).released, 0, where)
    assert.equal((await outbox.draft(held.id)).state, 'failed', where)
    await owner.transaction(async (client) => {
      await client.query('alter table draft disable trigger draft_state_moves')
      await client.query(`update draft set state = 'held', document = $2, closed_at = null where id = $1`, [held.id, held.document])
      await client.query('alter table draft enable trigger draft_state_moves')
    })
    tried += 1
  }
  assert(tried > 30)
  await put(waiting.id, waiting.document)
  assert.equal((await outbox.approve(waiting.id)).outcome, 'decided')
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.equal((await outbox.draft(held.id)).state, 'released')
})

test('whichever column of a signed row is changed, nothing is released', async (t) => {
  const outbox = await testOutbox(t)
  const changes = [
    `wire = wire || '\\x00'`, `wire = overlay(wire placing '\\x58' from 1)`, `wire = ''`, `nonce = repeat('00', 32)`, `account = '/elsewhere'`, `kind = 'other'`, `risk = 1`,
    `expires_at = expires_at + interval '1 year'`, `frozen_at = frozen_at - interval '1 hour'`, `label_level = 0`, `label_integrity = 'trusted'`, `label_lanes = '{}'`, `document = ''`, `connector = 'other'`,
  ]
  for (const change of changes) {
    const { id } = await outbox.readyToRelease()
    await outbox.database.owner.pool.query(`update draft set ${change} where id = $1`, [id])
    assert.equal((await releaseDrafts(outbox.deps)).released, 0, change)
    assert.equal((await outbox.draft(id)).state, 'failed', change)
  }
  const other = await outbox.freeze()
  const { id } = await outbox.readyToRelease()
  await outbox.database.owner.pool.query('update decision set signature = $2 where draft_id = $1', [id, sign(null, challengeOf(other.document), outbox.key.privateKey)])
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  assert.match((await outbox.draft(id)).reason!, /signature/)
})

test('twenty drafts decided at the same time are decided, each twice and by one of the two, through a pool of two connections', async (t) => {
  const outbox = await testOutbox(t)
  const drafts: Draft[] = []
  for (let index = 0; index < 20; index += 1) drafts.push(await outbox.freeze({ ...aMail, subject: `mail ${index}` }))
  const narrow = connect(outbox.database.connection('castellan_releaser'), { max: 2 })
  t.after(narrow.close)
  const deps = { ...outbox.deps, database: narrow }
  const approve = ({ id, document }: Draft) => decideDraft(deps, id, { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign(document) })
  const outcomes = await Promise.all([...drafts, ...drafts].map(approve))
  for (const [index, { id }] of drafts.entries()) {
    const both = [outcomes[index]!, outcomes[index + drafts.length]!]
    assert.deepEqual(both.map(({ outcome }) => outcome).sort(), ['decided', 'too_late'])
    assert.deepEqual(await outbox.audited(id), ['draft.frozen', 'draft.decided'])
  }
  outbox.clock.advance(10_000)
  assert.deepEqual(await releaseDrafts(deps), { released: 20, astray: false })
  assert.equal(readdirSync(outbox.outgoing).length, 20)
})

test('a signature that does not verify keeps none of the others from their decision', async (t) => {
  const outbox = await testOutbox(t)
  const drafts = [await outbox.freeze(), await outbox.freeze(), await outbox.freeze()]
  const outcomes = await Promise.allSettled(drafts.map(({ id, document }, index) =>
    decideDraft(outbox.deps, id, { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign(index === 1 ? drafts[0]!.document : document) })))
  assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  assert.deepEqual(await Promise.all(drafts.map(async ({ id }) => (await outbox.draft(id)).state)), ['held', 'waiting', 'held'])
})
