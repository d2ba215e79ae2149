import {
  browserSupportsWebAuthn, startAuthentication, startRegistration, WebAuthnError,
  type AuthenticationResponseJSON, type PublicKeyCredentialCreationOptionsJSON, type PublicKeyCredentialRequestOptionsJSON, type RegistrationResponseJSON,
} from '@simplewebauthn/browser'
import { Refusal } from '../releaser/call.ts'
import { toBase64Url, type Bytes } from './bytes.ts'

/** Passkeys need a secure address: https, or localhost. */
export function passkeysWork(): boolean {
  return window.isSecureContext && browserSupportsWebAuthn()
}

/** Uses a passkey over a challenge that this page computed by itself. @throws Refusal */
export async function usePasskey(options: PublicKeyCredentialRequestOptionsJSON, challenge: Bytes): Promise<AuthenticationResponseJSON> {
  if (options.challenge !== toBase64Url(challenge)) {
    throw new Refusal('passkey.challenge', 'The releaser asked for a signature over something else than what this page shows. Nothing was signed.')
  }
  return spoken(startAuthentication({ optionsJSON: options }))
}

/** @throws Refusal */
export function makePasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<RegistrationResponseJSON> {
  return spoken(startRegistration({ optionsJSON: options }))
}

async function spoken<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking
  } catch (error) {
    const code = error instanceof WebAuthnError ? error.code : ''
    const name = error instanceof Error ? error.name : ''
    if (code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED') throw new Refusal('passkey.known', 'This device has a passkey for this house already. Sign in with it.')
    if (name === 'NotAllowedError' || name === 'AbortError') throw new Refusal('passkey.cancelled', 'The passkey was not used: the question was closed, or its time ran out. Nothing was signed.')
    if (name === 'SecurityError') throw new Refusal('passkey.origin', 'The browser does not let this address use the passkey. Open the page at the address that is set as sign_origin.')
    throw new Refusal('passkey.failed', `The passkey could not be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}
