import { Fault } from '../kernel/fault.ts'
import { covers, type Label, type Level } from './label.ts'
import { describeLevel } from './words.ts'

/** What a redactor leaves behind: which bytes it took, which it gave, and by which rules. */
export interface RedactionRecord {
  /** The id of the stored declassification record. */
  readonly id: string
  readonly redactor: string
  /** SHA-256, hex. */
  readonly inputHash: string
  readonly outputHash: string
}

/** The label of redacted text: one level lower, never from P3, still as untrusted and in the same lanes as before. */
export function redacted(label: Label, record: RedactionRecord): Label {
  if (label.level === 3) {
    throw new Fault('refused', 'label.local_only', `${describeLevel(3)} is never redacted down; ask a model on this machine instead`)
  }
  if (!isHash(record.inputHash) || !isHash(record.outputHash) || record.inputHash === record.outputHash || !record.id || !record.redactor) {
    throw new Fault('refused', 'label.redaction_record', 'a redaction without a record of what it changed lowers nothing')
  }
  return { ...label, level: Math.max(0, label.level - 1) as Level }
}

/** A verified act of the operator that lets labelled bytes out. It carries what he saw and how he signed. */
export interface SignedAct {
  readonly keyId: string
  readonly method: 'passkey' | 'ed25519'
  readonly signature: Uint8Array
  /** SHA-256 of the signed document, hex. */
  readonly documentHash: string
  /** The label that the page showed and that the signature covers. */
  readonly label: Label
  /** Every recipient that the page named. */
  readonly recipients: readonly string[]
}

/**
 * May bytes with this label leave for these recipients? P0 may; above it only by a signed act that showed a label at least as strict and
 * named every recipient; P3 only by a passkey.
 */
export function mayLeave(label: Label, recipients: readonly string[], act?: SignedAct): boolean {
  if (label.level === 0) return true
  if (!act || act.signature.length === 0 || !act.keyId || !isHash(act.documentHash)) return false
  if (!covers(act.label, label) || !recipients.every((recipient) => act.recipients.includes(recipient))) return false
  return label.level < 3 || (act.method === 'passkey' && recipients.length > 0)
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
