import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { createIdentity, listIdentities, loadIdentity } from './operator-identity.ts'
import { openOperatorKeys, scopeRefusal } from './operator-keys.ts'
import { challengeOf } from './document.ts'
import { verifySignature } from './signature.ts'

const now = new Date('2026-03-02T09:00:00.000Z')
const passphrase = 'correct horse'

test('a key is enrolled with its proof, found by its id, and revoked for good', async (t) => {
  const folder = temporaryFolder(t)
  const keys = openOperatorKeys(folder)
  const identity = await createIdentity(join(folder, 'operator'), { name: 'laptop', scope: 'operator', passphrase })
  assert.deepEqual(await keys.list(), [])
  const { key, fresh } = await keys.enrol(identity.enrolment(), now)
  assert.equal(fresh, true)
  assert.equal(key.id, identity.id)
  assert.equal((await keys.enrol(identity.enrolment(), now)).fresh, false)
  assert.equal(scopeRefusal(key, 'smtp'), undefined)
  await keys.revoke(key.id, now)
  assert.match(scopeRefusal((await keys.find(key.id))!, 'file')!, /revoked/)
  await assert.rejects(keys.enrol(identity.enrolment(), now), { code: 'key.known' })
  await assert.rejects(keys.revoke('ed25519:0000000000000000', now), { code: 'key.missing' })
  assert.equal(statSync(join(folder, 'operator-keys.json')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith('.tmp')), [])
})

test('an enrolment is refused when its proof is of another key, scope or name', async (t) => {
  const folder = temporaryFolder(t)
  const keys = openOperatorKeys(folder)
  const mine = (await createIdentity(folder, { name: 'mine', scope: 'demonstration' })).enrolment()
  const other = (await createIdentity(folder, { name: 'other', scope: 'demonstration' })).enrolment()
  for (const forged of [{ ...mine, signature: other.signature }, { ...mine, publicKey: other.publicKey }, { ...mine, scope: 'operator' as const }, { ...mine, name: 'x' }, { ...mine, signature: '' }]) {
    await assert.rejects(keys.enrol(forged, now), { code: 'key.proof' })
  }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  for (const publicKey of ['', 'nonsense', rsa, `${mine.publicKey.slice(0, -4)}`]) await assert.rejects(keys.enrol({ ...mine, publicKey }, now), { code: 'key.form' })
  assert.deepEqual(await keys.list(), [])
})

test('keys that are enrolled at the same time are all kept', async (t) => {
  const folder = temporaryFolder(t)
  const keys = openOperatorKeys(folder)
  const identities = await Promise.all(['a', 'b', 'c', 'd'].map((name) => createIdentity(folder, { name, scope: 'demonstration' })))
  await Promise.all(identities.map((identity) => keys.enrol(identity.enrolment(), now)))
  assert.equal((await keys.list()).length, 4)
})

test('a file of keys that was damaged, or names a key by the id of another, lets nobody sign', async (t) => {
  const folder = temporaryFolder(t)
  const keys = openOperatorKeys(folder)
  const one = await keys.enrol((await createIdentity(folder, { name: 'one', scope: 'demonstration' })).enrolment(), now)
  await keys.enrol((await createIdentity(folder, { name: 'two', scope: 'demonstration' })).enrolment(), now)
  const path = join(folder, 'operator-keys.json')
  const file = JSON.parse(readFileSync(path, 'utf8')) as { keys: { id: string }[] }
  file.keys[1]!.id = one.key.id
  for (const content of ['', '{', '{"version":2,"keys":[]}', JSON.stringify(file)]) {
    writeFileSync(path, content)
    await assert.rejects(keys.find(one.key.id), { code: 'key.file' })
  }
})

test('a demonstration key signs for files only', () => {
  const key = { id: 'x', scope: 'demonstration', revoked_at: null } as const
  assert.equal(scopeRefusal(key, 'file'), undefined)
  assert.match(scopeRefusal(key, 'smtp')!, /demonstration/)
})

test('a sealed key opens with its passphrase only, and signs what its public half verifies', async (t) => {
  const folder = join(temporaryFolder(t), 'operator')
  const made = await createIdentity(folder, { name: 'laptop', scope: 'operator', passphrase })
  await assert.rejects(loadIdentity(folder, 'laptop', 'wrong horse'), { code: 'identity.passphrase', kind: 'refused' })
  await assert.rejects(loadIdentity(folder, 'laptop'), { code: 'identity.passphrase' })
  const loaded = await loadIdentity(folder, 'laptop', passphrase)
  const challenge = challengeOf('anything')
  assert(verifySignature(made.publicKey, challenge, Buffer.from(loaded.sign(challenge), 'base64')))
  assert(!verifySignature(made.publicKey, challengeOf('else'), Buffer.from(loaded.sign(challenge), 'base64')))
  assert.deepEqual(await listIdentities(folder), [{ name: 'laptop', id: made.id, scope: 'operator', sealed: true }])
  assert.equal(statSync(join(folder, 'laptop.key.json')).mode & 0o777, 0o600)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert(!readFileSync(join(folder, 'laptop.key.json'), 'utf8').includes('MC4CAQAwBQYDK2Vw')) // how an open PKCS8 Ed25519 key begins
})

test('only a demonstration key goes without a passphrase, and none is written over', async (t) => {
  const folder = temporaryFolder(t)
  await assert.rejects(createIdentity(folder, { name: 'laptop', scope: 'operator' }), { code: 'identity.passphrase' })
  await assert.rejects(createIdentity(folder, { name: 'laptop', scope: 'operator', passphrase: 'short' }), { code: 'identity.passphrase' })
  const made = await createIdentity(folder, { name: 'demonstration', scope: 'demonstration' })
  await assert.rejects(createIdentity(folder, { name: 'demonstration', scope: 'demonstration' }), { code: 'identity.exists' })
  assert.equal((await loadIdentity(folder, 'demonstration')).id, made.id)
  await assert.rejects(createIdentity(folder, { name: '../x', scope: 'demonstration' }), { code: 'identity.name' })
  await assert.rejects(loadIdentity(folder, 'nobody'), { code: 'identity.missing' })
})
