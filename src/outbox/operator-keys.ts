import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { verifyAssertion, type Assertion, type Site } from './keys/assertion.ts'
import { passkeyIdOf, sessionKeyIdOf, type EnrolledKey, type Passkey, type SessionKey, type TerminalKey } from './keys/enrolled-key.ts'
import { openKeyFile, type KeyFile } from './keys/key-file.ts'
import { readSession, verifyVouch } from './keys/session-document.ts'
import { enrolmentChallenge, keyIdOf, verifySignature, type KeyScope } from './signature.ts'

/** How long a session key stays in the file after its hours, so that what it signed can be looked into; in milliseconds. */
const keptMs = 30 * 24 * 3_600_000
const mostLiveSessions = 50

export interface Enrolment {
  readonly publicKey: string
  readonly scope: KeyScope
  readonly name: string
  /** By the new key, over `enrolmentChallenge`; base64. */
  readonly signature: string
}

export interface Changed<K extends EnrolledKey = EnrolledKey> {
  readonly key: K
  /** False when it was so before. */
  readonly fresh: boolean
}

/** A passkey whose registration was verified. */
export type NewPasskey = Pick<Passkey, 'credential_id' | 'public_key' | 'counter' | 'transports' | 'aaguid' | 'rp_id' | 'name'>

/** The keys whose signature releases, in a file that only the releaser owns. */
export interface OperatorKeys {
  list(): Promise<readonly EnrolledKey[]>
  find(id: string): Promise<EnrolledKey | undefined>
  /** The passkey with that credential. */
  findPasskey(credentialId: string): Promise<Passkey | undefined>
  enrol(enrolment: Enrolment, now: Date): Promise<Changed<TerminalKey>>
  enrolPasskey(passkey: NewPasskey, now: Date): Promise<Passkey>
  /** Enrols the key that the session names, if a passkey vouches for it. @throws Fault `passkey.missing` and all of `verifyVouch` */
  openSession(session: string, assertion: Assertion, site: Site, now: Date): Promise<SessionKey>
  endSession(id: string, now: Date): Promise<void>
  /**
   * Verifies what a passkey signed, and keeps its counter, so that no copy of the authenticator that lags behind signs after it.
   * @throws Fault `passkey.missing`, `passkey.site`, `passkey.assertion`
   */
  usePasskey(assertion: Assertion, challenge: Uint8Array, site: Site, now: Date): Promise<Passkey>
  /** Of a passkey, all sessions that it vouched for end too. */
  revoke(id: string, now: Date): Promise<Changed>
}

/** Opens the file of enrolled keys in the releaser's folder. */
export function openOperatorKeys(folder: string): OperatorKeys {
  const file = openKeyFile(join(folder, 'operator-keys.json'))
  return {
    list: () => file.read(),
    find: async (id) => (await file.read()).find((key) => key.id === id),
    findPasskey: async (credentialId) => (await file.read()).find((key): key is Passkey => key.kind === 'passkey' && key.credential_id === credentialId),
    enrol: (enrolment, now) => enrolTerminalKey(file, enrolment, now),
    enrolPasskey: (passkey, now) => enrolPasskey(file, passkey, now),
    openSession: (session, assertion, site, now) => openSession(file, session, assertion, site, now),
    endSession: (id, now) =>
      file.change((keys) => ({
        keys: keys.map((key) => (key.kind === 'session' && key.id === id && key.ended_at === null ? { ...key, ended_at: now.toISOString() } : key)),
        result: undefined,
      })),
    usePasskey: (assertion, challenge, site, now) =>
      file.change(async (keys) => {
        const passkey = livePasskey(keys, assertion.id)
        const counter = await verifyAssertion(passkey, assertion, { ...site, challenge, counter: passkey.counter })
        const used = { ...passkey, counter, last_used_at: now.toISOString() }
        return { keys: keys.map((key) => (key === passkey ? used : key)), result: used }
      }),
    revoke: (id, now) =>
      file.change<Changed>((keys) => {
        const known = keys.find((key) => key.id === id)
        if (!known) throw new Fault('missing', 'key.missing', `no key ${id} is enrolled`)
        if (known.revoked_at !== null) return { result: { key: known, fresh: false } }
        const key = { ...known, revoked_at: now.toISOString() }
        return { keys: keys.map((other) => (other === known ? key : other)), result: { key, fresh: true } }
      }),
  }
}

/** May this key release through a connector of that kind? Says why not, or nothing. */
export function scopeRefusal(key: { readonly id: string; readonly scope?: KeyScope; readonly revoked_at: string | null }, connectorKind: string): string | undefined {
  if (key.revoked_at !== null) return `key ${key.id} was revoked on ${key.revoked_at}`
  if (key.scope === 'demonstration' && connectorKind !== 'file') {
    return `key ${key.id} is a demonstration key: it signs for connectors of kind file only, not ${connectorKind}; enrol a key of your own`
  }
  return undefined
}

function enrolTerminalKey(file: KeyFile, { publicKey, scope, name, signature }: Enrolment, now: Date): Promise<Changed<TerminalKey>> {
  return file.change<Changed<TerminalKey>>((keys) => {
    const id = keyIdOf(publicKey)
    if (!verifySignature(publicKey, enrolmentChallenge(publicKey, scope, name), Buffer.from(signature, 'base64'))) {
      throw new Fault('refused', 'key.proof', `the proof for key ${id} does not verify: sign the enrolment of exactly this key, scope and name with it`)
    }
    const known = keys.find((key): key is TerminalKey => key.kind === 'ed25519' && key.id === id)
    if (known && (known.revoked_at !== null || known.scope !== scope)) {
      throw new Fault('conflict', 'key.known', known.revoked_at === null
        ? `key ${id} is enrolled already, as ${known.scope} key; make a new key for another scope`
        : `key ${id} was revoked on ${known.revoked_at}; make a new key`)
    }
    if (known) return { result: { key: known, fresh: false } }
    const key: TerminalKey = { kind: 'ed25519', id, public_key: publicKey, scope, name, enrolled_at: now.toISOString(), revoked_at: null }
    return { keys: [...keys, key], result: { key, fresh: true } }
  })
}

function enrolPasskey(file: KeyFile, passkey: NewPasskey, now: Date): Promise<Passkey> {
  return file.change((keys) => {
    const id = passkeyIdOf(Buffer.from(passkey.public_key, 'base64url'))
    const known = keys.find((key) => key.id === id || (key.kind === 'passkey' && key.credential_id === passkey.credential_id))
    if (known) throw new Fault('conflict', 'key.known', `passkey ${known.id} is enrolled already${known.revoked_at === null ? '' : ', and was revoked'}; make a new one`)
    const key: Passkey = { kind: 'passkey', id, ...passkey, last_used_at: null, enrolled_at: now.toISOString(), revoked_at: null }
    return { keys: [...keys, key], result: key }
  })
}

function openSession(file: KeyFile, document: string, assertion: Assertion, site: Site, now: Date): Promise<SessionKey> {
  return file.change(async (keys) => {
    const { public_key, from, until } = readSession(document)
    const passkey = livePasskey(keys, assertion.id)
    const counter = await verifyVouch({ public_key, document, from, until }, assertion, passkey, site, passkey.counter)
    if (now.getTime() < Date.parse(from) || now.getTime() >= Date.parse(until)) throw new Fault('refused', 'session.over', 'the hours of this session are over, or did not begin; open a new one')
    const id = sessionKeyIdOf(public_key)
    if (keys.some((key) => key.id === id)) throw new Fault('conflict', 'key.known', `session key ${id} is enrolled already; make a new key for each session`)
    const kept = keys.filter((key) => key.kind !== 'session' || Date.parse(key.until) + keptMs > now.getTime())
    if (kept.filter((key) => isLiveSession(key, now)).length >= mostLiveSessions) {
      throw new Fault('conflict', 'session.many', `${mostLiveSessions} sessions are open; end some, or revoke their keys with \`castellan operator revoke\``)
    }
    const key: SessionKey = {
      kind: 'session', id, public_key, passkey: passkey.id, document, assertion, from, until, ended_at: null,
      name: passkey.name, enrolled_at: now.toISOString(), revoked_at: null,
    }
    const used = { ...passkey, counter, last_used_at: now.toISOString() }
    return { keys: [...kept.map((other) => (other === passkey ? used : other)), key], result: key }
  })
}

function isLiveSession(key: EnrolledKey, now: Date): boolean {
  return key.kind === 'session' && key.revoked_at === null && key.ended_at === null && now.getTime() < Date.parse(key.until)
}

function livePasskey(keys: readonly EnrolledKey[], credentialId: string): Passkey {
  const passkey = keys.find((key): key is Passkey => key.kind === 'passkey' && key.credential_id === credentialId)
  if (passkey === undefined) throw new Fault('refused', 'passkey.missing', 'this passkey is not enrolled here; `castellan operator enroll --passkey` enrols one')
  if (passkey.revoked_at !== null) throw new Fault('refused', 'passkey.revoked', `key ${passkey.id} was revoked on ${passkey.revoked_at}`)
  return passkey
}
