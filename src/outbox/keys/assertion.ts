import type { AuthenticationResponseJSON, AuthenticatorTransport } from '@simplewebauthn/server'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import type { Passkey } from './enrolled-key.ts'

/** What a browser hands back after the touch (WebAuthn level 3, AuthenticationResponseJSON); kept whole, so that it can be verified again. */
export const assertionSchema = z.object({
  id: z.base64url().min(1).max(1400),
  rawId: z.base64url().min(1).max(1400),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: z.base64url().min(1).max(4000),
    authenticatorData: z.base64url().min(1).max(4000),
    signature: z.base64url().min(1).max(12_000),
    userHandle: z.base64url().max(200).nullish(),
  }),
})
export type Assertion = z.infer<typeof assertionSchema>

/** Where the operator signs: the page's origin with its port, and the name that his passkeys belong to. */
export interface Site {
  readonly origin: string
  readonly rpId: string
}

export interface ExpectedAssertion extends Site {
  readonly challenge: Uint8Array
  /** The last counter that is known; 0 when an assertion that was counted before is verified again. */
  readonly counter: number
}

/**
 * Did the owner of this passkey, verified by his device, sign exactly this challenge on exactly this page?
 * @returns the authenticator's counter
 * @throws Fault `passkey.site`, `passkey.assertion`
 */
export async function verifyAssertion(passkey: Passkey, assertion: Assertion, { challenge, origin, rpId, counter }: ExpectedAssertion): Promise<number> {
  if (passkey.rp_id !== rpId) {
    throw new Fault('refused', 'passkey.site', `passkey ${passkey.id} was enrolled for ${passkey.rp_id} and cannot sign for ${rpId}; enrol one with \`castellan operator enroll --passkey\``)
  }
  if (assertion.id !== passkey.credential_id || wasFramed(assertion)) throw unverified(passkey)
  // loaded here, because commands at the terminal come this way without ever meeting a passkey
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...assertion, response: withoutNull(assertion.response), clientExtensionResults: {} } as AuthenticationResponseJSON,
      expectedChallenge: Buffer.from(challenge).toString('base64url'),
      expectedOrigin: origin,
      expectedRPID: rpId,
      expectedType: 'webauthn.get',
      requireUserVerification: true,
      credential: {
        id: passkey.credential_id, publicKey: new Uint8Array(Buffer.from(passkey.public_key, 'base64url')), counter, transports: passkey.transports as AuthenticatorTransport[],
      },
    })
    if (verified) return authenticationInfo.newCounter
  } catch (error) {
    throw unverified(passkey, error)
  }
  throw unverified(passkey)
}

function unverified({ id }: Passkey, cause?: unknown): Fault {
  const why = cause instanceof Error ? ` (${cause.message})` : ''
  return new Fault('refused', 'passkey.assertion', `what passkey ${id} signed does not verify${why}: look at it again on the signing page, and sign there`, {}, cause)
}

/** An assertion that was made inside a frame of another page says so. */
function wasFramed({ response }: Assertion): boolean {
  try {
    const said = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString('utf8')) as { crossOrigin?: unknown; topOrigin?: unknown }
    return (said.crossOrigin !== undefined && said.crossOrigin !== false) || said.topOrigin !== undefined
  } catch {
    return true
  }
}

function withoutNull({ userHandle, ...response }: Assertion['response']) {
  return userHandle ? { ...response, userHandle } : response
}
