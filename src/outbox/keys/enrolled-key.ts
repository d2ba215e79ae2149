import { createHash } from 'node:crypto'
import { z } from 'zod'
import { keyIdOf, publicKeyOf } from '../signature.ts'
import { assertionSchema } from './assertion.ts'

const enrolment = { name: z.string(), enrolled_at: z.iso.datetime(), revoked_at: z.iso.datetime().nullable() }

const terminalKeySchema = z.strictObject({
  kind: z.literal('ed25519'),
  id: z.string(),
  public_key: z.string().describe('Ed25519, SPKI DER in base64'),
  scope: z.enum(['operator', 'demonstration']),
  ...enrolment,
})

const passkeySchema = z.strictObject({
  kind: z.literal('passkey'),
  id: z.string(),
  credential_id: z.base64url().max(1400),
  public_key: z.base64url().max(4000).describe('COSE (RFC 9052)'),
  counter: z.int().nonnegative().describe('signatures that the authenticator has counted; 0 where it does not count'),
  transports: z.array(z.string()),
  aaguid: z.string(),
  rp_id: z.string(),
  last_used_at: z.iso.datetime().nullable(),
  ...enrolment,
})

const sessionKeySchema = z.strictObject({
  kind: z.literal('session'),
  id: z.string(),
  public_key: z.string().describe('Ed25519, SPKI DER in base64'),
  passkey: z.string().describe('the id of the passkey that vouched for it'),
  document: z.string().describe('what the passkey signed, as canonical JSON'),
  assertion: assertionSchema,
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable().describe('the operator left: what was signed before counts on'),
  ...enrolment,
})

export const enrolledKeySchema = z.discriminatedUnion('kind', [terminalKeySchema, passkeySchema, sessionKeySchema])

/** Signs at the terminal, its private half sealed by a passphrase; or the demonstration key of a first start. */
export type TerminalKey = z.infer<typeof terminalKeySchema>
/** Signs one draft with each touch. */
export type Passkey = z.infer<typeof passkeySchema>
/** Held by the signing page for some hours, vouched for by a passkey. */
export type SessionKey = z.infer<typeof sessionKeySchema>
export type EnrolledKey = z.infer<typeof enrolledKeySchema>

/** The id of a key is computed from it, so that none passes under the name of another. */
export function idOf(key: Pick<EnrolledKey, 'kind' | 'public_key'>): string {
  if (key.kind === 'passkey') return passkeyIdOf(Buffer.from(key.public_key, 'base64url'))
  return key.kind === 'session' ? sessionKeyIdOf(key.public_key) : keyIdOf(key.public_key)
}

/** `passkey:` and 16 hex digits of the SHA-256 of the COSE key. */
export function passkeyIdOf(cose: Uint8Array): string {
  return `passkey:${fingerprint(cose)}`
}

/** `session:` and 16 hex digits of the SHA-256 of the public key. @throws Fault `key.form` */
export function sessionKeyIdOf(publicKey: string): string {
  return `session:${fingerprint(publicKeyOf(publicKey).export({ type: 'spki', format: 'der' }))}`
}

function fingerprint(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}
