import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { publicKeyOf } from '../signature.ts'
import { verifyAssertion, type Assertion, type Site } from './assertion.ts'
import type { Passkey, SessionKey } from './enrolled-key.ts'

/** How long a key of the page may sign after one touch of the passkey, in milliseconds. */
export const sessionMs = 8 * 3_600_000

const sessionSchema = z.strictObject({
  version: z.literal('castellan/1'),
  act: z.literal('session'),
  public_key: z.string(),
  nonce: z.string().regex(/^[0-9a-f]{64}$/),
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  rp_id: z.string(),
  origin: z.string(),
})
/** What a passkey signs to vouch for a key of the page. */
export type SessionDocument = z.infer<typeof sessionSchema>

/** As the canonical JSON (RFC 8785) that is signed. */
export function writeSession(document: SessionDocument): string {
  return canonicalize(sessionSchema.parse(document))!
}

/** @throws Fault `session.document` for text that is not the canonical form of a session of at most eight hours */
export function readSession(text: string): SessionDocument {
  const session = parseSession(text)
  const length = session && Date.parse(session.until) - Date.parse(session.from)
  if (session === undefined || canonicalize(session) !== text || length === undefined || length <= 0 || length > sessionMs) {
    throw new Fault('refused', 'session.document', 'this is not a session that Castellan writes; begin anew')
  }
  return session
}

function parseSession(text: string): SessionDocument | undefined {
  try {
    const session = sessionSchema.parse(JSON.parse(text))
    publicKeyOf(session.public_key)
    return session
  } catch {
    return undefined
  }
}

/** SHA-256("castellan/1/session" ‖ session): the prefix keeps it apart from every draft's challenge. */
export function sessionChallenge(text: string): Buffer {
  return createHash('sha256').update('castellan/1/session').update(text).digest()
}

/** What a session key signs to come back after a reload: SHA-256("castellan/1/resume" ‖ challenge). */
export function resumeChallenge(challenge: Uint8Array): Buffer {
  return createHash('sha256').update('castellan/1/resume').update(challenge).digest()
}

/**
 * Does this passkey vouch for that key, at this site and for these hours? Computed anew from what was signed.
 * @returns the authenticator's counter
 * @throws Fault `session.document`, `session.vouch`, `passkey.site`, `passkey.assertion`
 */
export async function verifyVouch(
  key: Pick<SessionKey, 'public_key' | 'document' | 'from' | 'until'>, assertion: Assertion, passkey: Passkey, site: Site, counter = 0,
): Promise<number> {
  const session = readSession(key.document)
  if (session.public_key !== key.public_key || session.from !== key.from || session.until !== key.until) throw unvouched('the file says something else than the passkey signed')
  if (session.origin !== site.origin || session.rp_id !== site.rpId) throw unvouched(`it was opened at ${session.origin}, and drafts are signed at ${site.origin} now`)
  return verifyAssertion(passkey, assertion, { ...site, challenge: sessionChallenge(key.document), counter })
}

function unvouched(why: string): Fault {
  return new Fault('refused', 'session.vouch', `the session key is not vouched for: ${why}; open a session anew`)
}
