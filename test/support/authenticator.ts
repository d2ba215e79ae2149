import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import type { OutboxDeps } from '../../src/outbox/change.ts'
import { challengeOf } from '../../src/outbox/document.ts'
import type { Assertion, Site } from '../../src/outbox/keys/assertion.ts'
import type { Passkey, SessionKey } from '../../src/outbox/keys/enrolled-key.ts'
import { sessionChallenge, sessionMs, writeSession } from '../../src/outbox/keys/session-document.ts'
import { signChallenge } from '../../src/outbox/signature.ts'

/** How an authenticator, or a page that drives it, departs from what is right. */
export interface Departure {
  readonly origin?: string
  readonly rpId?: string
  readonly userVerified?: boolean
  readonly userPresent?: boolean
  readonly counter?: number
  readonly crossOrigin?: boolean
  readonly type?: string
  readonly credentialId?: string
}

/** A passkey in software (WebAuthn level 3, ES256), for what a browser would not do: lie. */
export interface Authenticator {
  readonly credentialId: string
  /** base64url of the COSE key. */
  readonly cose: string
  /** What `navigator.credentials.create` gives. */
  register(challenge: Uint8Array, departure?: Departure): { id: string; rawId: string; type: 'public-key'; response: { clientDataJSON: string; attestationObject: string; transports: string[] } }
  /** What `navigator.credentials.get` gives. */
  sign(challenge: Uint8Array, departure?: Departure): Assertion
}

export function createAuthenticator(site: Site, { counts = true }: { counts?: boolean } = {}): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string }
  // {1: 2, 3: -7, -1: 1, -2: x, -3: y}: EC2, ES256, P-256
  const cose = Buffer.concat([Buffer.from('a5010203262001215820', 'hex'), Buffer.from(x, 'base64url'), Buffer.from('225820', 'hex'), Buffer.from(y, 'base64url')])
  const id = randomBytes(32)
  let counter = 0

  const clientData = (type: string, challenge: Uint8Array, { origin = site.origin, crossOrigin = false }: Departure) =>
    Buffer.from(JSON.stringify({ type, challenge: Buffer.from(challenge).toString('base64url'), origin, crossOrigin }))
  const authenticatorData = ({ rpId = site.rpId, userVerified = true, userPresent = true, counter: chosen }: Departure, attested?: Buffer) => {
    if (counts && chosen === undefined) counter += 1
    const counted = Buffer.alloc(4)
    counted.writeUInt32BE(chosen ?? counter)
    const flags = (userPresent ? 1 : 0) | (userVerified ? 4 : 0) | (attested ? 0x40 : 0)
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), counted, ...(attested ? [attested] : [])])
  }

  return {
    credentialId: id.toString('base64url'),
    cose: cose.toString('base64url'),
    register(challenge, departure = {}) {
      const data = authenticatorData(departure, Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, cose]))
      // {"fmt": "none", "attStmt": {}, "authData": data}
      const attestation = Buffer.concat([Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex'), Buffer.from([data.length]), data])
      return {
        id: id.toString('base64url'), rawId: id.toString('base64url'), type: 'public-key',
        response: {
          clientDataJSON: clientData(departure.type ?? 'webauthn.create', challenge, departure).toString('base64url'), attestationObject: attestation.toString('base64url'), transports: ['internal'],
        },
      }
    },
    sign(challenge, departure = {}) {
      const client = clientData(departure.type ?? 'webauthn.get', challenge, departure)
      const data = authenticatorData(departure)
      const signature = sign('sha256', Buffer.concat([data, createHash('sha256').update(client).digest()]), privateKey)
      const credentialId = departure.credentialId ?? id.toString('base64url')
      return {
        id: credentialId, rawId: credentialId, type: 'public-key',
        response: { clientDataJSON: client.toString('base64url'), authenticatorData: data.toString('base64url'), signature: signature.toString('base64url') },
      }
    },
  }
}

export interface TestPasskey {
  readonly key: Passkey
  readonly device: Authenticator
  /** Over the draft's document, as the page would ask for it. */
  sign(document: string, departure?: Departure): Assertion
}

/** A passkey in the releaser's file. */
export async function enrolTestPasskey({ keys, clock, site }: Pick<OutboxDeps, 'keys' | 'clock' | 'site'>, { name = 'phone', counts = true } = {}): Promise<TestPasskey> {
  const device = createAuthenticator(site(), { counts })
  const key = await keys.enrolPasskey({ credential_id: device.credentialId, public_key: device.cose, counter: 0, transports: ['internal'], aaguid: '00000000-0000-0000-0000-000000000000', rp_id: site().rpId, name }, clock.now())
  return { key, device, sign: (document, departure) => device.sign(challengeOf(document), departure) }
}

export interface TestSession {
  readonly key: SessionKey
  readonly privateKey: KeyObject
  /** base64, over the draft's document. */
  sign(document: string): string
}

/** A session key that the passkey vouches for, in the releaser's file. */
export async function openTestSession({ keys, clock, site }: Pick<OutboxDeps, 'keys' | 'clock' | 'site'>, passkey: TestPasskey): Promise<TestSession> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const now = clock.now()
  const session = writeSession({
    version: 'castellan/1', act: 'session', public_key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), nonce: randomBytes(32).toString('hex'),
    from: now.toISOString(), until: new Date(now.getTime() + sessionMs).toISOString(), rp_id: site().rpId, origin: site().origin,
  })
  const key = await keys.openSession(session, passkey.device.sign(sessionChallenge(session)), site(), now)
  return { key, privateKey, sign: (document) => signChallenge(privateKey, challengeOf(document)) }
}
