import { describeLabel, describeLevel } from '../labels/index.ts'
import { textOfWire } from './compose/read-wire.ts'
import { challengeOf, readDocument, sha256, type DraftDocument } from './document.ts'
import { isSwept, type Draft } from './draft.ts'
import type { historyOf } from './draft-queries.ts'
import { highRisk } from './risk.ts'

type History = Awaited<ReturnType<typeof historyOf>>

/** A draft in a list: all that tells drafts apart, and nothing that has to be read before signing. */
export function summarize(draft: Draft, now: Date) {
  const { document, problem } = readLeniently(draft)
  return {
    id: draft.id,
    state: draft.state,
    reason: draft.reason,
    kind: draft.kind,
    connector: draft.connector,
    account: draft.account,
    title: document?.title ?? null,
    from: document?.from ?? null,
    recipients: document?.recipients ?? { to: [], cc: [], bcc: [] },
    attachments: document?.attachments ?? [],
    risk: draft.risk,
    high_risk: draft.risk >= highRisk,
    reasons: document?.reasons ?? [],
    label: { level: draft.label.level, word: describeLevel(draft.label.level), text: describeLabel(draft.label), integrity: draft.label.integrity, lanes: draft.label.lanes },
    origin: document?.origin ?? null,
    replaces: draft.replaces,
    frozen_at: draft.frozenAt,
    expires_at: draft.expiresAt,
    seconds_left: draft.state === 'waiting' ? Math.max(0, Math.floor((draft.expiresAt.getTime() - now.getTime()) / 1000)) : null,
    hold_until: draft.holdUntil,
    closed_at: draft.closedAt,
    /** Set when the row does not hold what Castellan writes: it cannot be approved. */
    problem,
  }
}

/** All that the operator has to see before he signs, and what the signature is computed over. */
export function present(draft: Draft, history: History, now: Date) {
  const summary = summarize(draft, now)
  const { document } = readLeniently(draft)
  const intact = document !== undefined && document.wire.sha256 === sha256(draft.wire) && document.wire.length === draft.wire.length
  return {
    ...summary,
    problem: summary.problem ?? (intact ? null : 'the stored bytes are not those that the document names'),
    rollback: document?.rollback ?? null,
    /** The text that stands in the bytes, decoded. */
    text: intact ? textOfWire(draft.wire) : null,
    /** Canonical JSON, exactly as it is signed. */
    document: draft.document,
    wire: draft.wire.toString('base64'),
    sha256: sha256(draft.wire),
    /** SHA-256("castellan/1" ‖ document), hex; the signature is over its 32 bytes. */
    challenge: challengeOf(draft.document).toString('hex'),
    history: tell(history),
  }
}

interface HistoryLine {
  readonly at: Date
  readonly draft: string
  readonly event: string
  readonly by?: string | null
  readonly reason?: string | null
  readonly receipt?: unknown
  /** The copy in the sender's mailbox, when one is wanted. */
  readonly sent_copy?: { readonly state: string; readonly reason: string | null }
}

function tell({ drafts, decisions, deliveries }: History): HistoryLine[] {
  const lines: HistoryLine[] = [
    ...drafts.map(({ frozenAt, id }) => ({ at: frozenAt, draft: id, event: 'frozen' })),
    ...decisions.map(({ at, draft, verdict, key, reason }) => ({ at, draft, event: { approve: 'approved', deny: 'denied', undo: 'undone' }[verdict], by: key, reason })),
    ...deliveries.map(({ started, draft }) => ({ at: started, draft, event: 'releasing' })),
    ...drafts
      .filter(({ closedAt, state }) => closedAt !== null && state !== 'denied' && state !== 'undone')
      .map(({ closedAt, id, state, reason }) => {
        const delivery = deliveries.find(({ draft }) => draft === id)
        const copy = delivery?.sent_copy ? { sent_copy: { state: delivery.sent_copy, reason: delivery.sent_copy_reason } } : {}
        return { at: closedAt!, draft: id, event: state, reason, receipt: delivery?.receipt ?? null, ...copy }
      }),
  ]
  return lines.sort((a, b) => a.at.getTime() - b.at.getTime())
}

function readLeniently(draft: Draft): { document: DraftDocument | undefined; problem: string | null } {
  if (isSwept(draft)) return { document: undefined, problem: 'its time was over: what it said is gone, and its hashes are in the audit' }
  try {
    return { document: readDocument(draft.document), problem: null }
  } catch (error) {
    return { document: undefined, problem: (error as Error).message }
  }
}
