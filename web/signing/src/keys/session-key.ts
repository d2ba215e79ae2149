import { encode, fromHex, sha256, toBase64, type Bytes } from './bytes.ts'

/** The key of this browser for some hours. Its private half cannot be read by anybody, this page included. */
export interface SessionKey {
  readonly privateKey: CryptoKey
  /** SPKI DER in base64. */
  readonly publicKey: string
}

/** As it is kept between two visits; nothing in it is a secret that could be copied out. */
export interface KeptKey extends SessionKey {
  readonly keyId: string
  readonly expiresAt: string
}

export async function newSessionKey(): Promise<SessionKey> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair
  return { privateKey, publicKey: toBase64(new Uint8Array(await crypto.subtle.exportKey('spki', publicKey))) }
}

/** Ed25519 over the 32 bytes of a challenge; base64. */
export async function signChallenge({ privateKey }: Pick<SessionKey, 'privateKey'>, challenge: Bytes): Promise<string> {
  if (challenge.length !== 32) throw new Error('a challenge has 32 bytes')
  return toBase64(new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, challenge)))
}

/** What a passkey signs to vouch for a session key. */
export function sessionChallenge(session: string): Promise<Bytes> {
  return sha256(encode('castellan/1/session'), encode(session))
}

/** What the session key signs to get a token again. The prefix keeps it apart from every draft. */
export function resumeChallenge(challengeHex: string): Promise<Bytes> {
  return sha256(encode('castellan/1/resume'), fromHex(challengeHex))
}
