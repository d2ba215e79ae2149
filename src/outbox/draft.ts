import type { Label } from '../labels/index.ts'

/** Pure rules of a draft: no database, no clock of their own. The trigger `draft_moves` holds the same table. */
export const draftStates = [
  'waiting', 'signed', 'held', 'releasing', 'released', 'failed', 'unknown', 'denied', 'expired', 'undone', 'replaced',
] as const
export type DraftState = (typeof draftStates)[number]

const moves: Readonly<Record<DraftState, readonly DraftState[]>> = {
  waiting: ['signed', 'denied', 'expired', 'replaced', 'unknown'],
  signed: ['held', 'expired', 'undone', 'unknown'],
  held: ['releasing', 'undone', 'failed', 'unknown'],
  releasing: ['released', 'failed', 'unknown', 'held'],
  unknown: ['released', 'failed'],
  released: [],
  failed: [],
  denied: [],
  expired: [],
  undone: [],
  replaced: [],
}

/** Something may still happen to the proposal of such a draft without the operator asking for it. */
export const openStates = ['waiting', 'signed', 'held', 'releasing'] as const satisfies readonly DraftState[]

/** A run that waits for its draft goes on from here; `undone` and `replaced` have a successor to wait for, `unknown` the operator's word. */
export const settledStates = ['released', 'failed', 'denied', 'expired'] as const satisfies readonly DraftState[]

/** How long after its hold a signed draft may still leave, when the deadline passed meanwhile; in milliseconds. */
export const releaseMarginMs = 60_000

export interface Draft {
  readonly id: string
  readonly proposalId: string
  readonly replaces: string | null
  readonly kind: string
  readonly connector: string
  readonly account: string
  /** Canonical JSON (RFC 8785): what is signed, together with `wire`, which it names by hash. Both are empty once their time was over. */
  readonly document: string
  readonly wire: Buffer
  readonly nonce: string
  readonly risk: number
  readonly state: DraftState
  readonly reason: string | null
  readonly frozenAt: Date
  readonly expiresAt: Date
  /** It does not leave earlier; null: right after its hold. */
  readonly notBefore: Date | null
  readonly holdUntil: Date | null
  /** Out of the usual list until then. */
  readonly snoozedUntil: Date | null
  readonly closedAt: Date | null
  readonly label: Label
}

export type Verdict = 'approve' | 'deny'

export type Decision =
  | { readonly outcome: 'decided'; readonly state: 'held' | 'denied'; readonly holdUntil: Date | undefined }
  | TooLate

export interface TooLate {
  readonly outcome: 'too_late'
  readonly was: DraftState
}

/** May a draft go from the one state to the other? Staying is no move. */
export function mayMove(from: DraftState, to: DraftState): boolean {
  return moves[from].includes(to)
}

/** Its document and its bytes were kept long enough and are gone; what happened to it is still told. */
export function isSwept({ document }: Pick<Draft, 'document'>): boolean {
  return document === ''
}

/** Whatever the operator does with a draft that waits, he does in time; the second of two finds the first. */
export function tooLate(draft: Pick<Draft, 'state' | 'expiresAt'>, now: Date): TooLate | undefined {
  if (draft.state !== 'waiting') return { outcome: 'too_late', was: draft.state }
  return now >= draft.expiresAt ? { outcome: 'too_late', was: 'expired' } : undefined
}

/** A late signature must never release what has already expired; the second decision finds the first. */
export function decide(draft: Pick<Draft, 'state' | 'expiresAt' | 'notBefore'>, verdict: Verdict, now: Date, holdMs: number): Decision {
  const late = tooLate(draft, now)
  if (late) return late
  if (verdict === 'deny') return { outcome: 'decided', state: 'denied', holdUntil: undefined }
  return { outcome: 'decided', state: 'held', holdUntil: new Date(Math.max(now.getTime() + holdMs, draft.notBefore?.getTime() ?? 0)) }
}

/** An approval can be taken back until the release begins. */
export function undo(draft: Pick<Draft, 'state'>): { readonly outcome: 'undone' } | TooLate {
  return draft.state === 'held' ? { outcome: 'undone' } : { outcome: 'too_late', was: draft.state }
}

/**
 * From this moment on nothing leaves, signed or not: a signature in time may finish its hold, and no more. What has a set time has as long from then on
 * as it had to be signed in. Reckoned from what is signed and not from `holdUntil`, which the signature does not cover.
 */
export function lastRelease({ frozenAt, expiresAt, notBefore }: Pick<Draft, 'frozenAt' | 'expiresAt' | 'notBefore'>, holdMs: number): Date {
  const lasts = expiresAt.getTime() - frozenAt.getTime()
  return new Date(Math.max(expiresAt.getTime(), notBefore === null ? 0 : notBefore.getTime() + lasts) + holdMs + releaseMarginMs)
}
