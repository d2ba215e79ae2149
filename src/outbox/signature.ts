import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import canonicalize from 'canonicalize'
import { Fault } from '../kernel/fault.ts'

/** Ed25519 (RFC 8032) over a 32-byte challenge. Keys travel as SPKI DER in base64, signatures in base64. */
export type KeyScope = 'operator' | 'demonstration'

/** `ed25519:` and 16 hex digits of the SHA-256 of the public key, so that nobody chooses an id. */
export function keyIdOf(publicKey: string): string {
  const der = publicKeyOf(publicKey).export({ type: 'spki', format: 'der' })
  return `ed25519:${createHash('sha256').update(der).digest('hex').slice(0, 16)}`
}

/** @throws Fault `key.form` when the text is not an Ed25519 public key in its one encoding */
export function publicKeyOf(publicKey: string): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
  } catch {
    // said below
  }
  if (key?.asymmetricKeyType !== 'ed25519' || key.export({ type: 'spki', format: 'der' }).toString('base64') !== publicKey) {
    throw new Fault('invalid', 'key.form', 'this is not an Ed25519 public key; send its SPKI DER form in base64')
  }
  return key
}

/** Signs a challenge; base64. */
export function signChallenge(privateKey: KeyObject, challenge: Uint8Array): string {
  return sign(null, challenge, privateKey).toString('base64')
}

/** Is this the signature of that key over that challenge? Anything malformed is not. */
export function verifySignature(publicKey: string, challenge: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || challenge.length !== 32) return false
  try {
    return verify(null, challenge, publicKeyOf(publicKey), signature)
  } catch {
    return false
  }
}

/** What a new key signs to prove that whoever enrols it holds its private half. Can never be a draft's challenge: the prefix differs. */
export function enrolmentChallenge(publicKey: string, scope: KeyScope, name: string): Buffer {
  return createHash('sha256').update('castellan/1/enrol').update(canonicalize({ name, public_key: publicKey, scope })!).digest()
}
