import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { isCanonical } from './canonical.ts'

export const documentVersion = 'castellan/1'

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/)

const documentSchema = z.strictObject({
  version: z.literal(documentVersion),
  id: z.uuid(),
  nonce: z.string().regex(/^[0-9a-f]{64}$/).describe('spent once, at the release'),
  kind: z.string(),
  connector: z.strictObject({ name: z.string(), kind: z.string() }),
  account: z.string().describe('on whose behalf it leaves, or the folder it is put in'),
  title: z.string(),
  from: z.string(),
  recipients: z.strictObject({ to: z.array(z.string()), cc: z.array(z.string()), bcc: z.array(z.string()) }),
  wire: z.strictObject({ sha256: sha256Hex, length: z.int().nonnegative() }),
  attachments: z.array(z.strictObject({ name: z.string(), type: z.string(), sha256: sha256Hex, length: z.int().nonnegative() })),
  rollback: z.string(),
  risk: z.int().min(1).max(10),
  reasons: z.array(z.string()),
  label: z.strictObject({
    level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
    integrity: z.enum(['trusted', 'untrusted']),
    lanes: z.array(z.string()),
  }),
  origin: z.strictObject({
    proposal: z.uuid(), job: z.string(), run: z.uuid().nullable().describe('null: an act of the operator himself'), step: z.string(),
    item: sha256Hex.describe('of run, step and item key: the same act of the same run, whatever freezes it'),
  }),
  replaces: z.uuid().nullable(),
  frozen_at: z.iso.datetime(),
  expires_at: z.iso.datetime().describe('a signature from then on comes too late'),
  not_before: z.iso.datetime().nullable().describe('it does not leave earlier, whenever it is signed; null: right after its hold'),
})

/** All that the operator's signature covers; the wire bytes by their hash. */
export type DraftDocument = z.infer<typeof documentSchema>

/** The document as the bytes that are signed: canonical JSON (RFC 8785). */
export function writeDocument(document: DraftDocument): string {
  return canonicalize(documentSchema.parse(document))!
}

/**
 * Reads a stored document. Text that is not the canonical form of what it says is refused: two readers could see two things in it.
 * @throws Fault `draft.document`
 */
export function readDocument(text: string): DraftDocument {
  let raw: unknown
  let parsed: DraftDocument
  try {
    raw = JSON.parse(text)
    parsed = documentSchema.parse(raw)
  } catch (error) {
    throw new Fault('refused', 'draft.document', 'the stored document is not one that Castellan writes', {}, error)
  }
  if (!isCanonical(raw, text)) {
    throw new Fault('refused', 'draft.document', 'the stored document is not in canonical form (RFC 8785)')
  }
  return parsed
}

/** The same act of the same run, whatever freezes it. */
export function itemOf({ run, step, item }: { run: string | null; step: string; item: string }): string {
  return sha256(JSON.stringify([run, step, item]))
}

/** The act that a stored document says it is of; nothing when that cannot be read. */
export function itemSaid(documentText: string): string {
  try {
    return readDocument(documentText).origin.item
  } catch {
    return ''
  }
}

/** Every recipient once, in lower case, without names. */
export function addressesOf({ to, cc, bcc }: DraftDocument['recipients']): string[] {
  return [...new Set([...to, ...cc, ...bcc].map((shown) => (/<([^<>]*)>$/.exec(shown)?.[1] ?? shown).toLowerCase()))]
}

/** What is signed: SHA-256("castellan/1" ‖ document). */
export function challengeOf(documentText: string): Buffer {
  return createHash('sha256').update(documentVersion).update(documentText).digest()
}

/** SHA-256 in lower-case hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
