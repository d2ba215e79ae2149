import { randomBytes } from 'node:crypto'
import { generateAuthenticationOptions, type PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import { publicKeyOf, resumeChallenge, sessionChallenge, sessionMs, verifySignature, writeSession, type Assertion, type OperatorKeys, type SessionKey, type Site } from '../outbox/index.ts'
import { descriptors, usablePasskeys } from './enrol-passkey.ts'
import { createOneUse } from './one-use.ts'
import type { Tokens } from './tokens.ts'

export interface SessionDeps {
  readonly keys: OperatorKeys
  readonly clock: Clock
  readonly tokens: Tokens
  readonly site: () => Site
}

export interface OpenedSession {
  readonly token: string
  readonly key_id: string
  readonly expires_at: Date
}

/** One touch of a passkey vouches for a key that the page made and cannot give away. */
export function createSessions({ keys, clock, tokens, site }: SessionDeps) {
  const offered = createOneUse<true>({ clock, lifeMs: 5 * 60_000, most: 1_000 })
  const challenges = createOneUse<string>({ clock, lifeMs: 60_000, most: 1_000 })

  function bear(key: SessionKey): OpenedSession {
    const until = new Date(key.until)
    return { token: tokens.issue({ keyId: key.id, until }), key_id: key.id, expires_at: until }
  }

  return {
    /** @throws Fault `key.form` */
    async offer(publicKey: string): Promise<{ options: PublicKeyCredentialRequestOptionsJSON; session: string }> {
      publicKeyOf(publicKey)
      const now = clock.now()
      const { origin, rpId } = site()
      const session = writeSession({
        version: 'castellan/1', act: 'session', public_key: publicKey, nonce: randomBytes(32).toString('hex'),
        from: now.toISOString(), until: new Date(now.getTime() + sessionMs).toISOString(), rp_id: rpId, origin,
      })
      offered.put(session, true)
      return { options: await passkeyOptions(keys, rpId, sessionChallenge(session)), session }
    },

    /** @throws Fault `session.document` for one that was not offered, was opened before or waited too long; and all of `openSession` */
    async open(session: string, assertion: Assertion): Promise<{ opened: OpenedSession; key: SessionKey }> {
      if (!offered.take(session)) throw new Fault('refused', 'session.document', 'this session was not offered here, or was opened before; begin anew')
      const key = await keys.openSession(session, assertion, site(), clock.now())
      return { opened: bear(key), key }
    },

    /** Says nothing about whether that key is enrolled. */
    challenge(keyId: string): { challenge: string } {
      const challenge = randomBytes(32).toString('hex')
      challenges.put(challenge, keyId)
      return { challenge }
    },

    /** @throws Fault `session.proof`, `session.over` */
    async resume(keyId: string, challenge: string, signature: string): Promise<OpenedSession> {
      if (challenges.take(challenge) !== keyId) throw new Fault('refused', 'session.proof', 'this challenge was not given for that key, or was used; ask for another')
      const key = await liveSession(keys, keyId, clock.now())
      if (!verifySignature(key.public_key, resumeChallenge(Buffer.from(challenge, 'hex')), Buffer.from(signature, 'base64'))) {
        throw new Fault('refused', 'session.proof', `the signature by session key ${keyId} does not verify`)
      }
      return bear(key)
    },
  }
}

/** @throws Fault `session.over` when it does not count any more, or its passkey does not */
export async function liveSession(keys: OperatorKeys, id: string, now: Date): Promise<SessionKey> {
  const all = await keys.list()
  const key = all.find((one): one is SessionKey => one.kind === 'session' && one.id === id)
  const passkey = all.find((one) => one.id === key?.passkey)
  if (!key || key.revoked_at !== null || key.ended_at !== null || now >= new Date(key.until) || !passkey || passkey.revoked_at !== null) {
    throw new Fault('refused', 'session.over', 'this session is over; open a new one with your passkey')
  }
  return key
}

/** Asks the browser for the signature of one of the enrolled passkeys over a challenge, with its owner verified. */
export async function passkeyOptions(keys: OperatorKeys, rpId: string, challenge: Uint8Array): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: rpId, challenge: new Uint8Array(challenge), userVerification: 'required', timeout: 300_000, allowCredentials: descriptors(await usablePasskeys(keys, rpId)),
  })
}
