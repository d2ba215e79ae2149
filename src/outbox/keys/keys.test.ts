import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createAuthenticator, enrolTestPasskey, openTestSession } from '../../../test/support/authenticator.ts'
import { testSite } from '../../../test/support/outbox.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { createManualClock } from '../../kernel/clock.ts'
import { openOperatorKeys } from '../operator-keys.ts'
import { readSession, sessionChallenge, sessionMs, writeSession } from './session-document.ts'

function keyring(t: TestContext) {
  const folder = temporaryFolder(t)
  const clock = createManualClock(new Date('2026-03-02T09:00:00.000Z'))
  return { folder, path: join(folder, 'operator-keys.json'), clock, keys: openOperatorKeys(folder), site: () => testSite }
}

test('passkeys and sessions are kept in the file of the releaser, which is read anew and by a releaser that starts anew', async (t) => {
  const ring = keyring(t)
  const passkey = await enrolTestPasskey(ring)
  const session = await openTestSession(ring, passkey)
  assert.match(passkey.key.id, /^passkey:[0-9a-f]{16}$/)
  assert.match(session.key.id, /^session:[0-9a-f]{16}$/)
  assert.equal(statSync(ring.path).mode & 0o777, 0o600)
  const again = openOperatorKeys(ring.folder)
  assert.deepEqual((await again.list()).map(({ kind }) => kind), ['passkey', 'session'])
  assert.deepEqual(await again.find(session.key.id), session.key)
  assert.equal((await again.findPasskey(passkey.device.credentialId))!.counter, 1)
})

test('a file in which a key bears another id, another form or another field lets nobody sign', async (t) => {
  const ring = keyring(t)
  const passkey = await enrolTestPasskey(ring)
  await openTestSession(ring, passkey)
  const text = readFileSync(ring.path, 'utf8')
  const other = createAuthenticator(testSite)
  for (const change of [
    (file: string) => file.replace(passkey.key.public_key, other.cose),
    (file: string) => file.replaceAll(passkey.key.id, 'passkey:0000000000000000'),
    (file: string) => file.replace('"session"', '"ed25519"'),
    (file: string) => file.replace('"counter": 1', '"counter": -1'),
    (file: string) => file.replace('"aaguid"', '"trusted": true, "aaguid"'),
  ]) {
    assert.notEqual(change(text), text)
    writeFileSync(ring.path, change(text))
    await assert.rejects(ring.keys.list(), { code: 'key.file' })
  }
})

test('hours that were prolonged in the file are not those that the passkey signed', async (t) => {
  const ring = keyring(t)
  const passkey = await enrolTestPasskey(ring)
  const session = await openTestSession(ring, passkey)
  writeFileSync(ring.path, readFileSync(ring.path, 'utf8').replace(`"until": "${session.key.until}"`, '"until": "2026-03-09T09:00:00.000Z"'))
  const key = await ring.keys.find(session.key.id)
  assert(key?.kind === 'session' && key.until !== session.key.until)
  const { verifyVouch } = await import('./session-document.ts')
  await assert.rejects(verifyVouch(key, key.assertion, passkey.key, testSite), { code: 'session.vouch' })
  await verifyVouch(session.key, session.key.assertion, passkey.key, testSite)
  await assert.rejects(verifyVouch(session.key, session.key.assertion, passkey.key, { ...testSite, origin: 'http://localhost:7400' }), { code: 'session.vouch' })
})

test('a passkey is enrolled once, and not again after it was revoked', async (t) => {
  const { keys, clock } = keyring(t)
  const { cose, credentialId } = createAuthenticator(testSite)
  const mine = { credential_id: credentialId, public_key: cose, counter: 0, transports: [], aaguid: '', rp_id: 'localhost', name: 'a' }
  const { id } = await keys.enrolPasskey(mine, clock.now())
  await assert.rejects(keys.enrolPasskey(mine, clock.now()), { code: 'key.known' })
  await assert.rejects(keys.enrolPasskey({ ...mine, public_key: createAuthenticator(testSite).cose }, clock.now()), { code: 'key.known' })
  assert.equal((await keys.revoke(id, clock.now())).fresh, true)
  assert.equal((await keys.revoke(id, clock.now())).fresh, false)
  await assert.rejects(keys.enrolPasskey(mine, clock.now()), { code: 'key.known' })
})

test('a session is vouched for by a live passkey with exactly its text, for no more than eight hours, and its key is used once', async (t) => {
  const ring = keyring(t)
  const { keys, clock } = ring
  const [passkey, other] = [await enrolTestPasskey(ring), await enrolTestPasskey(ring, { name: 'other' })]
  const opened = await openTestSession(ring, passkey)
  const document = readSession(opened.key.document)
  const sign = (text: string) => passkey.device.sign(sessionChallenge(text))
  const open = (text: string, assertion = sign(text)) => keys.openSession(text, assertion, testSite, clock.now())
  await assert.rejects(open(opened.key.document), { code: 'key.known' })
  for (const wrong of [
    writeSession({ ...document, until: new Date(clock.now().getTime() + sessionMs + 1).toISOString() }), writeSession({ ...document, until: document.from }),
    ` ${opened.key.document}`, opened.key.document.replace('session', 'draft'), writeSession({ ...document, public_key: 'AAAA' }), '{}', '',
  ]) await assert.rejects(open(wrong), { code: 'session.document' }, wrong)
  await assert.rejects(open(writeSession({ ...document, origin: 'http://localhost:7400' })), { code: 'session.vouch' })
  const { response, ...rest } = sign(opened.key.document)
  await assert.rejects(open(opened.key.document, { ...rest, id: other.device.credentialId, rawId: other.device.credentialId, response }), { code: 'passkey.assertion' })
  clock.advance(sessionMs)
  await assert.rejects(open(opened.key.document), { code: 'session.over' })
  await keys.revoke(passkey.key.id, clock.now())
  await assert.rejects(openTestSession(ring, passkey), { code: 'passkey.revoked' })
})

test('sessions are forgotten a month after their hours, and no more than fifty are open', async (t) => {
  const ring = keyring(t)
  const passkey = await enrolTestPasskey(ring)
  const first = await openTestSession(ring, passkey)
  ring.clock.advance(sessionMs + 30 * 24 * 3_600_000)
  for (let count = 0; count < 50; count += 1) await openTestSession(ring, passkey)
  assert.equal(await ring.keys.find(first.key.id), undefined)
  await assert.rejects(openTestSession(ring, passkey), { code: 'session.many' })
  const [live] = (await ring.keys.list()).filter(({ kind }) => kind === 'session')
  await ring.keys.endSession(live!.id, ring.clock.now())
  await openTestSession(ring, passkey)
})
