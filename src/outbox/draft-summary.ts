import { describeLabel, describeLevel, type Label } from '../labels/index.ts'
import { readDocument, type DraftDocument } from './document.ts'
import { isSwept, type Draft } from './draft.ts'
import { listDrafts, type DraftQuery } from './draft-queries.ts'
import type { Queryable } from './draft-store.ts'
import { highRisk, sessionMaySign } from './risk.ts'

/** A list of drafts, the newest first, as pages and the CLI show it; neither bytes nor documents. */
export async function readDraftList(query: Queryable, wanted: DraftQuery, now: Date): Promise<DraftSummary[]> {
  return (await listDrafts(query, wanted)).map((draft) => summarize(draft, now))
}

export type DraftSummary = ReturnType<typeof summarize>

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
    /** Below that a session key is enough. */
    session_may_sign: sessionMaySign(draft),
    reasons: document?.reasons ?? [],
    label: showLabel(draft.label),
    origin: document?.origin ?? null,
    replaces: draft.replaces,
    frozen_at: draft.frozenAt,
    expires_at: draft.expiresAt,
    /** It does not leave earlier, whenever it is signed; null: right after its hold. */
    not_before: draft.notBefore,
    seconds_left: draft.state === 'waiting' ? Math.max(0, Math.floor((draft.expiresAt.getTime() - now.getTime()) / 1000)) : null,
    hold_until: draft.holdUntil,
    /** Null when it is not snoozed now. */
    snoozed_until: draft.state === 'waiting' && draft.snoozedUntil !== null && draft.snoozedUntil > now ? draft.snoozedUntil : null,
    closed_at: draft.closedAt,
    /** Set when the row does not hold what Castellan writes: it cannot be approved. */
    problem,
  }
}

export function showLabel(label: Label) {
  return { level: label.level, word: describeLevel(label.level), text: describeLabel(label), integrity: label.integrity, lanes: label.lanes }
}

export function readLeniently(draft: Draft): { document: DraftDocument | undefined; problem: string | null } {
  if (isSwept(draft)) return { document: undefined, problem: 'its time was over: what it said is gone, and its hashes are in the audit' }
  try {
    return { document: readDocument(draft.document), problem: null }
  } catch (error) {
    return { document: undefined, problem: (error as Error).message }
  }
}
