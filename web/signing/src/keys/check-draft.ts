import type { Attachment, DraftDetail, DraftSummary, Recipients } from '../releaser/answers.ts'
import { encode, fromBase64, sha256, toHex, type Bytes } from './bytes.ts'
import { isOutboundKind, readOutboundAct, wordsOfAct } from '../../../../src/outbox/acts/outbound-act.ts'
import { readAct } from './read-act.ts'
import { readClearance } from './read-clearance.ts'
import { readWire, type Wire } from './read-wire.ts'

const version = 'castellan/1'

/** What the signature covers, as the document says it. */
export interface SignedDocument {
  readonly version: string
  readonly id: string
  readonly kind: string
  readonly connector: { readonly name: string; readonly kind: string }
  readonly account: string
  readonly title: string
  readonly from: string
  readonly recipients: Recipients
  readonly wire: { readonly sha256: string; readonly length: number }
  readonly attachments: readonly Attachment[]
  readonly rollback: string
  readonly risk: number
  readonly reasons: readonly string[]
  readonly label: { readonly level: number; readonly integrity: string; readonly lanes: readonly string[] }
  readonly origin: { readonly job: string; /** Null: an act of the operator himself. */ readonly run: string | null; readonly step: string }
  readonly replaces: string | null
  readonly frozen_at: string
  readonly expires_at: string
  /** It does not leave earlier; null: right after its hold. */
  readonly not_before: string | null
}

/** A draft as it was checked on this page: everything that is shown comes from the document and the bytes, whose hashes were computed here. */
export interface CheckedDraft {
  readonly id: string
  readonly detail: DraftDetail
  readonly document: SignedDocument
  readonly wire: Wire
  readonly wireHash: string
  /** SHA-256("castellan/1" ‖ document): the 32 bytes that are signed. */
  readonly challenge: Bytes
  readonly hash: string
}

export type Check = { readonly ok: true; readonly draft: CheckedDraft } | { readonly ok: false; readonly detail: DraftDetail; readonly problem: string }

/** Nothing is offered for signing whose bytes are not those that its document names. */
export async function checkDraft(detail: DraftDetail): Promise<Check> {
  const refuse = (problem: string): Check => ({ ok: false, detail, problem })
  if (detail.problem !== null) return refuse(detail.problem)
  const document = readDocument(detail.document)
  if (document === undefined) return refuse('the document is not one that this page can read')
  if (document.id !== detail.id) return refuse('the document is that of another draft')
  const bytes = fromBase64(detail.wire)
  const wireHash = toHex(await sha256(bytes))
  if (bytes.length !== document.wire.length || wireHash !== document.wire.sha256) return refuse('the bytes are not those that the document names')
  const wire = readAs(document, bytes)
  if (wire === undefined) return refuse('its bytes do not say what the document says that they do')
  const challenge = await challengeOf(detail.document)
  return { ok: true, draft: { id: detail.id, detail, document, wire, wireHash, challenge, hash: toHex(challenge) } }
}

/** What the bytes say, by their kind; nothing when they are of another. */
function readAs({ kind, from, title, account }: SignedDocument, bytes: Bytes): Wire | undefined {
  if (kind === 'mail') return readWire(bytes)
  if (kind === 'lane.clear' || kind === 'model.own') {
    const cleared = readClearance(bytes)
    return cleared && kind === cleared.kind && title === cleared.title ? { headers: [], text: cleared.text } : undefined
  }
  if (isOutboundKind(kind)) {
    const act = readOutboundAct(bytes)
    return act?.kind === kind && act.account === account ? { headers: [], text: wordsOfAct(act) } : undefined
  }
  const act = readAct(bytes)
  return act && kind === `mail.${act.act}` && from === act.account ? { headers: [], text: act.text } : undefined
}

export function challengeOf(documentText: string): Promise<Bytes> {
  return sha256(encode(version), encode(documentText))
}

/** Does a row of the list say what the document says? A batch is chosen by rows. */
export function agrees(row: DraftSummary, { document }: CheckedDraft): boolean {
  const said = ({ title, from, recipients, risk, attachments, expires_at }: Pick<SignedDocument, 'title' | 'from' | 'recipients' | 'risk' | 'attachments' | 'expires_at'>) =>
    JSON.stringify([title, from, recipients.to, recipients.cc, recipients.bcc, risk, attachments.map(({ sha256 }) => sha256), Date.parse(expires_at)])
  return said({ ...row, title: row.title ?? '', from: row.from ?? '' }) === said(document)
}

/** Risk and label of the document itself decide whether the session key may sign. */
export function takesPasskey({ risk, label }: Pick<SignedDocument, 'risk' | 'label'>): boolean {
  return risk >= 7 || label.level >= 3
}

function readDocument(text: string): SignedDocument | undefined {
  try {
    const document = JSON.parse(text) as SignedDocument
    return document.version === version && document.recipients.bcc.length >= 0 && document.wire.sha256.length === 64 ? document : undefined
  } catch {
    return undefined
  }
}
