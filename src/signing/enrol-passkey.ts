import { randomBytes } from 'node:crypto'
import { generateRegistrationOptions, verifyRegistrationResponse, type AuthenticatorTransport, type PublicKeyCredentialCreationOptionsJSON, type RegistrationResponseJSON } from '@simplewebauthn/server'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import type { OperatorKeys, Passkey, Site } from '../outbox/index.ts'

/** ES256, EdDSA, RS256: what every authenticator of today can do at least one of. */
const algorithms = [-7, -8, -257]

/** What a browser hands back after it made a passkey. */
export const registrationSchema = z.object({
  id: z.base64url().min(1).max(1400),
  rawId: z.base64url().min(1).max(1400),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: z.base64url().min(1).max(4000),
    attestationObject: z.base64url().min(1).max(30_000),
    transports: z.array(z.string().max(30)).max(10).optional(),
  }),
})
export type Registration = z.infer<typeof registrationSchema>

/** Asks the browser for a passkey that verifies its owner and can be found without being named; those that are enrolled are not made twice. */
export async function registrationOptions(
  keys: OperatorKeys, { rpId }: Site, { house, name }: { house: string; name: string },
): Promise<{ options: PublicKeyCredentialCreationOptionsJSON; challenge: Uint8Array<ArrayBuffer> }> {
  const challenge = new Uint8Array(randomBytes(32))
  const options = await generateRegistrationOptions({
    rpName: house, rpID: rpId, userName: name, userDisplayName: name, challenge, attestationType: 'none', supportedAlgorithmIDs: algorithms,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: descriptors(await usablePasskeys(keys, rpId)),
    timeout: 300_000,
  })
  return { options, challenge }
}

/** @throws Fault `enrol.registration`, `key.known` */
export async function enrolPasskey(
  keys: OperatorKeys, { origin, rpId }: Site, registration: Registration, { challenge, name, now }: { challenge: Uint8Array; name: string; now: Date },
): Promise<Passkey> {
  const { registrationInfo: info } = await verifyRegistrationResponse({
    response: { ...registration, clientExtensionResults: {} } as RegistrationResponseJSON,
    expectedChallenge: Buffer.from(challenge).toString('base64url'),
    expectedOrigin: origin, expectedRPID: rpId, requireUserVerification: true, supportedAlgorithmIDs: algorithms,
  }).catch((error: unknown) => {
    throw new Fault('refused', 'enrol.registration', `the passkey was not made on this page as it was asked for (${(error as Error).message}); begin anew`, {}, error)
  })
  if (info === undefined) throw new Fault('refused', 'enrol.registration', 'the passkey does not verify; begin anew')
  const { credential, aaguid } = info
  return keys.enrolPasskey({
    credential_id: credential.id, public_key: Buffer.from(credential.publicKey).toString('base64url'), counter: credential.counter,
    transports: [...(credential.transports ?? [])], aaguid, rp_id: rpId, name,
  }, now)
}

/** Those that can sign at this name. */
export async function usablePasskeys(keys: OperatorKeys, rpId: string): Promise<Passkey[]> {
  return (await keys.list()).filter((key): key is Passkey => key.kind === 'passkey' && key.revoked_at === null && key.rp_id === rpId)
}

/** As WebAuthn names credentials. */
export function descriptors(passkeys: readonly Passkey[]): { id: string; transports: AuthenticatorTransport[] }[] {
  return passkeys.map(({ credential_id, transports }) => ({ id: credential_id, transports: transports as AuthenticatorTransport[] }))
}
