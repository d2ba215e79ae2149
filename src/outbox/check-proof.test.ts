import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { enrolTestPasskey, openTestSession, type Departure } from '../../test/support/authenticator.ts'
import { aMail, enrolKey, testOutbox, testSite, untrustedInternal, type TestOutbox } from '../../test/support/outbox.ts'
import { createFileConnector } from './connectors/file.ts'
import { decideDraft, type DecisionRequest } from './decide-draft.ts'
import { challengeOf, readDocument, writeDocument, type DraftDocument } from './document.ts'
import type { Draft } from './draft.ts'
import type { Assertion } from './keys/assertion.ts'
import { sessionMs } from './keys/session-document.ts'
import { releaseDrafts } from './release-drafts.ts'

const risky = { ...aMail, text: 'Unsere neue IBAN: DE89 3704 0044 0532 0130 00' }
const local = { ...untrustedInternal, level: 3 as const }
const approve = (assertion: Assertion): DecisionRequest => ({ verdict: 'approve', assertion })

/** The state that a draft ends in when everything is released that may be. */
async function released(outbox: TestOutbox, { id }: Draft): Promise<Draft> {
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  return outbox.draft(id)
}

test('a passkey approves a draft of any risk, and the whole assertion is stored and verified again before the release', async (t) => {
  const outbox = await testOutbox(t)
  const passkey = await enrolTestPasskey(outbox.deps)
  const draft = await outbox.freeze(risky)
  assert(draft.risk >= 7)
  const assertion = passkey.sign(draft.document)
  assert.equal((await decideDraft(outbox.deps, draft.id, approve(assertion))).outcome, 'decided')
  const { rows } = await outbox.database.owner.pool.query('select key_id, signature, assertion from decision')
  assert.deepEqual(rows, [{ key_id: passkey.key.id, signature: null, assertion }])
  assert.equal((await released(outbox, draft)).state, 'released')
})

test('an assertion that was altered in the database releases nothing', async (t) => {
  const outbox = await testOutbox(t)
  const passkey = await enrolTestPasskey(outbox.deps)
  const [one, two] = [await outbox.freeze(), await outbox.freeze()]
  for (const { id, document } of [one, two]) await decideDraft(outbox.deps, id, approve(passkey.sign(document)))
  await outbox.database.owner.pool.query(`update decision set assertion = (select assertion from decision where draft_id = $1) where draft_id = $2`, [one.id, two.id])
  assert.equal((await released(outbox, one)).state, 'released')
  const { state, reason } = await outbox.draft(two.id)
  assert.equal(state, 'failed')
  assert.match(reason!, /^not sent: .*does not verify/)
})

test('no field of a document can be changed under the assertion of a passkey or the signature of a session key', async (t) => {
  const outbox = await testOutbox(t)
  const passkey = await enrolTestPasskey(outbox.deps)
  const session = await openTestSession(outbox.deps, passkey)
  const { id, document } = await outbox.freeze()
  const [assertion, signature] = [passkey.sign(document), session.sign(document)]
  for (const changed of variations(readDocument(document))) {
    // with the row made to agree, as who owns the database could
    await outbox.database.owner.pool.query(
      `update draft set document = $2, nonce = $3, risk = $4, account = $5, kind = $6, connector = $7, expires_at = $8, frozen_at = $9, label_level = $10, label_integrity = $11, label_lanes = $12 where id = $1`,
      [id, writeDocument(changed), changed.nonce, changed.risk, changed.account, changed.kind, changed.connector.name, changed.expires_at, changed.frozen_at, changed.label.level, changed.label.integrity, changed.label.lanes],
    )
    for (const request of [approve(assertion), { verdict: 'approve', keyId: session.key.id, signature }] as const) {
      await assert.rejects(decideDraft(outbox.deps, id, request), { kind: 'refused' }, JSON.stringify(changed))
    }
    assert.equal((await outbox.draft(id)).state, 'waiting')
  }
})

/** One document for each field, with that field alone changed. */
function variations(document: DraftDocument): DraftDocument[] {
  const change = (edit: (copy: { -readonly [K in keyof DraftDocument]: DraftDocument[K] }) => void) => {
    const copy = structuredClone(document)
    edit(copy)
    return copy
  }
  return [
    change((copy) => (copy.nonce = 'a'.repeat(64))), change((copy) => (copy.title = 'Else')), change((copy) => (copy.from = 'else@example.org')),
    change((copy) => copy.recipients.bcc.push('spy@example.org')), change((copy) => (copy.recipients.to = ['mallory@example.org'])), change((copy) => copy.recipients.cc.push('spy@example.org')),
    change((copy) => (copy.wire.sha256 = 'b'.repeat(64))), change((copy) => (copy.wire.length += 1)), change((copy) => (copy.account = 'else')), change((copy) => (copy.risk = copy.risk === 1 ? 2 : 1)),
    change((copy) => (copy.reasons = [])), change((copy) => (copy.rollback = 'else')), change((copy) => (copy.label.level = 0)), change((copy) => (copy.label.integrity = 'trusted')),
    change((copy) => (copy.label.lanes = [])), change((copy) => (copy.origin.job = 'else')), change((copy) => (copy.origin.run = randomUUID())), change((copy) => (copy.expires_at = '2027-01-01T00:00:00.000Z')),
    change((copy) => copy.attachments.push({ name: 'x', type: 'text/plain', sha256: 'c'.repeat(64), length: 1 })), change((copy) => (copy.frozen_at = '2026-01-01T00:00:00.000Z')), change((copy) => (copy.kind = 'post')),
    change((copy) => (copy.connector.kind = 'smtp')),
  ]
}

test('a passkey that signed for another draft, page or name, unverified, absent, framed or as a registration, approves nothing', async (t) => {
  const outbox = await testOutbox(t)
  const passkey = await enrolTestPasskey(outbox.deps)
  const [draft, other] = [await outbox.freeze(), await outbox.freeze()]
  await assert.rejects(decideDraft(outbox.deps, draft.id, approve(passkey.sign(other.document))), { code: 'passkey.assertion' })
  const departures: Departure[] = [
    { origin: 'http://localhost:7400' }, { origin: 'https://localhost:7401' }, { origin: 'http://localhost' }, { origin: 'http://localhost:7401.evil.example' }, { rpId: 'evil.example' },
    { userVerified: false }, { userPresent: false }, { crossOrigin: true }, { type: 'webauthn.create' },
  ]
  for (const departure of departures) {
    await assert.rejects(decideDraft(outbox.deps, draft.id, approve(passkey.sign(draft.document, departure))), { code: 'passkey.assertion' }, JSON.stringify(departure))
  }
  const { response, ...rest } = passkey.sign(draft.document)
  await assert.rejects(decideDraft(outbox.deps, draft.id, approve({ ...rest, response: { ...response, signature: Buffer.alloc(70, 1).toString('base64url') } })), { code: 'passkey.assertion' })
  assert.equal((await outbox.draft(draft.id)).state, 'waiting')
  assert.deepEqual((await outbox.audited(draft.id)).slice(1), Array(departures.length + 2).fill('draft.refused'))
})

test('a passkey that is not enrolled, revoked, of another operator, or enrolled for another name approves nothing', async (t) => {
  const outbox = await testOutbox(t)
  const [mine, hers] = [await enrolTestPasskey(outbox.deps), await enrolTestPasskey(outbox.deps, { name: 'hers' })]
  const draft = await outbox.freeze()
  const crossed = mine.device.sign(challengeOf(draft.document), { credentialId: hers.device.credentialId })
  await assert.rejects(decideDraft(outbox.deps, draft.id, approve(crossed)), { code: 'passkey.assertion' })
  const stranger = mine.device.sign(challengeOf(draft.document), { credentialId: 'c3RyYW5nZXI' })
  await assert.rejects(decideDraft(outbox.deps, draft.id, approve(stranger)), { code: 'draft.key' })
  await outbox.deps.keys.revoke(mine.key.id, outbox.clock.now())
  await assert.rejects(decideDraft(outbox.deps, draft.id, approve(mine.sign(draft.document))), { code: 'draft.key' })
  const moved = { ...outbox.deps, site: () => ({ origin: 'https://castellan.example.org', rpId: 'castellan.example.org' }) }
  await assert.rejects(decideDraft(moved, draft.id, approve(hers.sign(draft.document))), { code: 'passkey.site' })
  assert.equal((await decideDraft(outbox.deps, draft.id, approve(hers.sign(draft.document)))).outcome, 'decided')
})

test('the counter of an authenticator never goes back; one that does not count stays at 0', async (t) => {
  const outbox = await testOutbox(t)
  const passkey = await enrolTestPasskey(outbox.deps)
  const [one, two, three] = [await outbox.freeze(), await outbox.freeze(), await outbox.freeze()]
  await decideDraft(outbox.deps, one.id, approve(passkey.sign(one.document, { counter: 5 })))
  for (const counter of [5, 4, 0]) await assert.rejects(decideDraft(outbox.deps, two.id, approve(passkey.sign(two.document, { counter }))), { code: 'passkey.assertion' })
  await decideDraft(outbox.deps, two.id, approve(passkey.sign(two.document, { counter: 6 })))
  assert.equal(((await outbox.deps.keys.find(passkey.key.id)) as { counter: number }).counter, 6)
  const uncounted = await enrolTestPasskey(outbox.deps, { counts: false })
  await decideDraft(outbox.deps, three.id, approve(uncounted.sign(three.document)))
  assert.equal(((await outbox.deps.keys.find(uncounted.key.id)) as { counter: number }).counter, 0)
  // counted already when they were decided, and verified again all the same
  await released(outbox, one)
  for (const { id } of [one, two, three]) assert.equal((await outbox.draft(id)).state, 'released')
})

test('a session key approves what has little risk, and asks for the passkey from risk 7 or P3 on', async (t) => {
  const outbox = await testOutbox(t)
  const session = await openTestSession(outbox.deps, await enrolTestPasskey(outbox.deps))
  const bySession = ({ document }: Draft): DecisionRequest => ({ verdict: 'approve', keyId: session.key.id, signature: session.sign(document) })
  const [harmless, high, secret] = [await outbox.freeze(), await outbox.freeze(risky), await outbox.freeze(aMail, { label: local })]
  for (const draft of [high, secret]) await assert.rejects(decideDraft(outbox.deps, draft.id, bySession(draft)), { code: 'draft.passkey_needed', kind: 'refused' })
  await assert.rejects(decideDraft(outbox.deps, harmless.id, { verdict: 'approve', keyId: session.key.id, signature: session.sign(high.document) }), { code: 'draft.signature' })
  assert.equal((await decideDraft(outbox.deps, harmless.id, bySession(harmless))).outcome, 'decided')
  assert.equal((await released(outbox, harmless)).state, 'released')
})

test('a session key signs within its hours only, and what it signed then is released after them', async (t) => {
  const outbox = await testOutbox(t)
  const session = await openTestSession(outbox.deps, await enrolTestPasskey(outbox.deps))
  const [one, two, three] = [await outbox.freeze(), await outbox.freeze(), await outbox.freeze()]
  const bySession = ({ document }: Draft): DecisionRequest => ({ verdict: 'approve', keyId: session.key.id, signature: session.sign(document) })
  const start = outbox.clock.now().getTime()
  outbox.clock.set(new Date(start - 1))
  await assert.rejects(decideDraft(outbox.deps, one.id, bySession(one)), { code: 'session.over' })
  outbox.clock.set(new Date(start + sessionMs - 1))
  await decideDraft(outbox.deps, one.id, bySession(one))
  outbox.clock.set(new Date(start + sessionMs))
  await assert.rejects(decideDraft(outbox.deps, two.id, bySession(two)), { code: 'session.over' })
  assert.equal((await released(outbox, one)).state, 'released')

  const fresh = await openTestSession(outbox.deps, await enrolTestPasskey(outbox.deps))
  await decideDraft(outbox.deps, two.id, { verdict: 'approve', keyId: fresh.key.id, signature: fresh.sign(two.document) })
  outbox.clock.advance(1)
  await outbox.deps.keys.endSession(fresh.key.id, outbox.clock.now())
  await assert.rejects(decideDraft(outbox.deps, three.id, { verdict: 'approve', keyId: fresh.key.id, signature: fresh.sign(three.document) }), { code: 'session.over' })
  assert.equal((await released(outbox, two)).state, 'released')
})

test('a session key that was written into the file, or whose hours were prolonged there, approves nothing without its passkey', async (t) => {
  const outbox = await testOutbox(t)
  const [passkey, other] = [await enrolTestPasskey(outbox.deps), await enrolTestPasskey(outbox.deps, { name: 'other' })]
  const session = await openTestSession(outbox.deps, passkey)
  const draft = await outbox.freeze()
  const path = join(outbox.folder, 'operator-keys.json')
  const whole = readFileSync(path, 'utf8')
  const bySession: DecisionRequest = { verdict: 'approve', keyId: session.key.id, signature: session.sign(draft.document) }
  const forged: [change: (text: string) => string, code: string][] = [
    [(text) => text.replace(`"until": "${session.key.until}"`, '"until": "2026-04-01T00:00:00.000Z"'), 'session.vouch'],
    [(text) => text.replace(`"passkey": "${passkey.key.id}"`, `"passkey": "${other.key.id}"`), 'passkey.assertion'],
    [(text) => text.replace(`"passkey": "${passkey.key.id}"`, '"passkey": "passkey:0000000000000000"'), 'session.vouch'],
    [(text) => text.replace(session.key.assertion.response.signature, passkey.sign(draft.document).response.signature), 'passkey.assertion'],
  ]
  for (const [change, code] of forged) {
    assert.notEqual(change(whole), whole)
    writeFileSync(path, change(whole))
    await assert.rejects(decideDraft(outbox.deps, draft.id, bySession), { code })
  }
  writeFileSync(path, whole)
  const moved = { ...outbox.deps, site: () => ({ origin: 'http://localhost:9999', rpId: 'localhost' }) }
  await assert.rejects(decideDraft(moved, draft.id, bySession), { code: 'session.vouch' })
  assert.equal((await decideDraft(outbox.deps, draft.id, bySession)).outcome, 'decided')
})

test('with a passkey its sessions are revoked, also what they signed and what is still held', async (t) => {
  const outbox = await testOutbox(t)
  const passkey = await enrolTestPasskey(outbox.deps)
  const session = await openTestSession(outbox.deps, passkey)
  const [held, waiting] = [await outbox.freeze(), await outbox.freeze()]
  await decideDraft(outbox.deps, held.id, { verdict: 'approve', keyId: session.key.id, signature: session.sign(held.document) })
  await outbox.deps.keys.revoke(passkey.key.id, outbox.clock.now())
  await assert.rejects(decideDraft(outbox.deps, waiting.id, { verdict: 'approve', keyId: session.key.id, signature: session.sign(waiting.document) }), { code: 'draft.key' })
  const { state, reason } = await released(outbox, held)
  assert.equal(state, 'failed')
  assert.match(reason!, /was revoked on/)
})

test('P3 leaves this machine by passkey only, and keys of the terminal, too, are refused', async (t) => {
  const outbox = await testOutbox(t, { connectors: (path) => [{ ...createFileConnector({ name: 'file', path, from: 'h@example.org' }), zone: 'internet' }] })
  const passkey = await enrolTestPasskey(outbox.deps)
  const terminal = await enrolKey(outbox.deps, 'operator')
  const draft = await outbox.freeze(aMail, { label: local })
  await assert.rejects(decideDraft(outbox.deps, draft.id, { verdict: 'approve', keyId: terminal.id, signature: terminal.sign(draft.document) }), { code: 'draft.label' })
  assert.equal((await decideDraft(outbox.deps, draft.id, approve(passkey.sign(draft.document)))).outcome, 'decided')
  assert.equal((await released(outbox, draft)).state, 'released')
})

test('what speaks to the public has no way out for P3, and what goes to many takes the passkey itself, whatever risk the row and its document say', async (t) => {
  const outbox = await testOutbox(t, { connectors: (path) => [{ ...createFileConnector({ name: 'file', path, from: 'h@example.org' }), zone: 'internet' }] })
  const passkey = await enrolTestPasskey(outbox.deps)
  const session = await openTestSession(outbox.deps, passkey)
  /** As who owns the database could. */
  const as = async (kind: string, { id, document }: Draft) => {
    const post = writeDocument({ ...readDocument(document), kind, risk: 2 })
    await outbox.database.owner.pool.query(`update draft set document = $2, kind = $3, risk = 2 where id = $1`, [id, post, kind])
    return { id, document: post }
  }
  const [secret, plain] = [await as('social.post', await outbox.freeze(aMail, { label: local })), await as('newsletter.send', await outbox.freeze())]
  await assert.rejects(decideDraft(outbox.deps, secret.id, approve(passkey.sign(secret.document))), { code: 'draft.label' })
  await assert.rejects(decideDraft(outbox.deps, plain.id, { verdict: 'approve', keyId: session.key.id, signature: session.sign(plain.document) }), { code: 'draft.passkey_needed' })
  assert.equal((await decideDraft(outbox.deps, plain.id, approve(passkey.sign(plain.document)))).outcome, 'decided')
})

test('what was shown is decided: with the challenge of something else the draft waits on', async (t) => {
  const outbox = await testOutbox(t)
  const passkey = await enrolTestPasskey(outbox.deps)
  const [draft, other] = [await outbox.freeze(), await outbox.freeze()]
  const shown = challengeOf(other.document).toString('hex')
  await assert.rejects(decideDraft(outbox.deps, draft.id, { verdict: 'approve', challenge: shown, assertion: passkey.sign(draft.document) }), { code: 'draft.changed', kind: 'conflict' })
  assert.equal((await outbox.draft(draft.id)).state, 'waiting')
  assert.equal(outbox.deps.site().origin, testSite.origin)
})

test('the database takes an approval with a signature or an assertion, and never with both or neither', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  const insert = (key: string | null, signature: Buffer | null, assertion: string | null, verdict = 'approve') =>
    outbox.database.owner.pool.query('insert into decision (id, draft_id, verdict, key_id, signature, assertion, decided_at) values ($1, $2, $3, $4, $5, $6, now())', [randomUUID(), id, verdict, key, signature, assertion])
  const signature = Buffer.from('signature')
  for (const wrong of [['ed25519:a', null, null], ['passkey:a', signature, null], ['ed25519:a', null, '{}'], ['passkey:a', signature, '{}'], [null, signature, null], ['passkey:a', null, '{}', 'deny']] as const) {
    await assert.rejects(insert(wrong[0], wrong[1], wrong[2], wrong[3]), { code: '23514' }, JSON.stringify(wrong))
  }
  await insert('passkey:a', null, '{}')
})
