import { Fault } from '../../kernel/fault.ts'
import { assertionSchema, type Assertion } from './assertion.ts'

/** What stands behind an approval: the signature of an Ed25519 key, or all that a passkey answered. */
export type Proof =
  | { readonly keyId: string; readonly signature: Buffer; readonly assertion?: undefined }
  | { readonly keyId: string; readonly assertion: Assertion; readonly signature?: undefined }

/** As it was stored. @throws Fault `draft.signature` */
export function readProof({ keyId, signature, assertion }: { keyId: string; signature: Buffer | null; assertion: unknown }): Proof {
  if (signature !== null) return { keyId, signature }
  const parsed = assertionSchema.safeParse(assertion)
  if (!parsed.success) throw new Fault('refused', 'draft.signature', 'what is stored as the signature of a passkey is none')
  return { keyId, assertion: parsed.data }
}
