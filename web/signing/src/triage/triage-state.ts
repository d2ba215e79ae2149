import type { Check, CheckedDraft } from '../keys/check-draft.ts'
import type { DraftState, DraftSummary, OutboxState } from '../releaser/answers.ts'
import type { Refusal } from '../releaser/call.ts'

/** All that the page knows, and how it changes: pure, without a clock or a network of its own. */
export type View = 'waiting' | 'snoozed' | 'history'
export type Overlay = 'help' | 'reject' | 'snooze' | 'later' | 'batch'

/** What this page is doing with a draft, or how that failed. Never taken for what the releaser knows. */
export type Act =
  | { readonly doing: 'signing' | 'passkey' | 'rejecting' | 'snoozing' | 'undoing' | 'saving' | 'resolving' }
  | { readonly failed: string }

export type Opened =
  | { readonly at: 'loading' }
  | { readonly at: 'failed'; readonly problem: Refusal }
  | { readonly at: 'ready'; readonly check: Check; /** What was shown before it changed under the reader's eyes. */ readonly before?: CheckedDraft }

export interface Triage {
  readonly view: View
  readonly now: number
  /** False until the first list came. */
  readonly loaded: boolean
  readonly problem: Refusal | undefined
  readonly online: boolean
  readonly outbox: OutboxState | undefined
  readonly open: readonly DraftSummary[]
  readonly closed: readonly DraftSummary[] | undefined
  /** Drafts whose end came while they were on this page: they stay a moment, failures until they are dismissed. */
  readonly ended: readonly { readonly draft: DraftSummary; readonly until: number }[]
  readonly acts: Readonly<Record<string, Act>>
  readonly opened: Readonly<Record<string, Opened>>
  readonly cursor: string | undefined
  /** Came under the cursor by itself and just now: a key that is pressed was meant for another. */
  readonly arriving: string | undefined
  /** The draft is being read: on a narrow screen it covers the list. */
  readonly reading: boolean
  readonly editing: boolean
  readonly selected: readonly string[]
  readonly overlay: Overlay | undefined
}

export type TriageEvent =
  | { readonly type: 'listed'; readonly drafts: readonly DraftSummary[]; readonly ended: readonly DraftSummary[]; readonly now: number; /** Takes the cursor, now that it is there. */ readonly point?: string | undefined }
  | { readonly type: 'history'; readonly drafts: readonly DraftSummary[] }
  | { readonly type: 'outbox'; readonly outbox: OutboxState }
  | { readonly type: 'list-failed'; readonly problem: Refusal }
  | { readonly type: 'online'; readonly online: boolean }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'viewed'; readonly view: View }
  | { readonly type: 'pointed'; readonly id: string | undefined; readonly reading?: boolean; /** The page goes on, and not its reader. */ readonly byItself?: boolean }
  | { readonly type: 'arrived'; readonly id: string }
  | { readonly type: 'moved'; readonly by: number }
  | { readonly type: 'reading'; readonly reading: boolean }
  | { readonly type: 'editing'; readonly editing: boolean }
  | { readonly type: 'selected'; readonly id: string }
  | { readonly type: 'unselected' }
  | { readonly type: 'overlay'; readonly overlay: Overlay | undefined }
  | { readonly type: 'act'; readonly id: string; readonly act: Act | undefined }
  | { readonly type: 'decided'; readonly id: string; readonly state: DraftState; readonly holdUntil: string | null; readonly now: number }
  | { readonly type: 'dismissed'; readonly id: string }
  | { readonly type: 'opened'; readonly id: string; readonly opened: Opened }
  | { readonly type: 'seen'; readonly id: string }

export const beginning: Triage = {
  view: 'waiting', now: 0, loaded: false, problem: undefined, online: true, outbox: undefined, open: [], closed: undefined, ended: [], acts: {}, opened: {},
  cursor: undefined, arriving: undefined, reading: false, editing: false, selected: [], overlay: undefined,
}

/** States in which something may still happen, or the operator is asked. */
export const openStates = ['waiting', 'signed', 'held', 'releasing', 'unknown'] as const satisfies readonly DraftState[]
export const closedStates = ['released', 'failed', 'denied', 'expired', 'undone', 'replaced'] as const satisfies readonly DraftState[]

/** How long an end stays on the page, in milliseconds. */
const lingers = 4_000
const mostOpened = 40

export function reduce(state: Triage, event: TriageEvent): Triage {
  switch (event.type) {
    case 'listed': return listed(state, event)
    case 'history': return keepCursor({ ...state, closed: event.drafts }, state)
    case 'outbox': return { ...state, outbox: event.outbox }
    case 'list-failed': return { ...state, problem: event.problem, online: event.problem.code === 'offline' ? false : state.online }
    case 'online': return state.online === event.online ? state : { ...state, online: event.online }
    case 'tick': return keepCursor({ ...state, now: event.now, ended: state.ended.filter(({ until }) => until > event.now) }, state)
    case 'viewed': return keepCursor({ ...state, view: event.view, reading: false, editing: false, selected: [] }, state)
    case 'pointed': return { ...state, cursor: event.id, reading: event.reading ?? state.reading, editing: false, arriving: event.byItself ? event.id : undefined }
    case 'arrived': return state.arriving === event.id ? { ...state, arriving: undefined } : state
    case 'moved': return moved(state, event.by)
    case 'reading': return { ...state, reading: event.reading && state.cursor !== undefined, editing: false }
    case 'editing': return { ...state, editing: event.editing, reading: state.reading || event.editing }
    case 'selected': return { ...state, selected: toggled(state.selected, event.id) }
    case 'unselected': return { ...state, selected: [] }
    case 'overlay': return { ...state, overlay: event.overlay }
    case 'act': return { ...state, acts: withAct(state.acts, event.id, event.act) }
    case 'decided': return decided(state, event)
    case 'dismissed': return keepCursor({ ...state, acts: withAct(state.acts, event.id, undefined), ended: state.ended.filter(({ draft }) => draft.id !== event.id) }, state)
    case 'opened': return { ...state, opened: withOpened(state.opened, event.id, event.opened) }
    case 'seen': {
      const known = state.opened[event.id]
      return known?.at === 'ready' ? { ...state, opened: { ...state.opened, [event.id]: { at: 'ready', check: known.check } } } : state
    }
  }
}

/** What the list shows, in its order: what asks first, then what is due first. A decision moves no row. */
export function rowsOf({ view, open, closed, ended, now }: Triage): readonly DraftSummary[] {
  if (view === 'history') return closed ?? []
  if (view === 'snoozed') return open.filter((draft) => isSnoozed(draft, now)).sort(byDeadline)
  const stays = ended.filter(({ draft }) => !open.some(({ id }) => id === draft.id)).map(({ draft }) => draft)
  return [...open.filter((draft) => !isSnoozed(draft, now)), ...stays].sort(byDeadline)
}

/** What asks the operator stands first, then what is due first. Times in one form compare as text, a thousand of them at each key. */
function byDeadline(a: DraftSummary, b: DraftSummary): number {
  const asks = Number(b.state === 'unknown') - Number(a.state === 'unknown')
  if (asks !== 0) return asks
  return `${a.expires_at}${a.id}` < `${b.expires_at}${b.id}` ? -1 : 1
}

export function isSnoozed({ snoozed_until: until, state }: DraftSummary, now: number): boolean {
  return state === 'waiting' && until !== null && Date.parse(until) > now
}

export function findDraft({ open, ended, closed }: Triage, id: string | undefined): DraftSummary | undefined {
  return open.find((draft) => draft.id === id) ?? ended.find(({ draft }) => draft.id === id)?.draft ?? closed?.find((draft) => draft.id === id)
}

/** What stands in the way of signing it now; nothing when it may be offered. */
export function obstacleTo(state: Triage, id: string, now: number): string | undefined {
  const draft = findDraft(state, id)
  const opened = state.opened[id]
  if (draft === undefined || draft.state !== 'waiting') return `It is ${draft?.state ?? 'gone'} already.`
  if (Date.parse(draft.expires_at) <= now) return 'Its time is over: it counts as denied.'
  if (opened?.at !== 'ready') return 'It is still being opened; nothing was signed.'
  if (!opened.check.ok) return `It cannot be signed: ${opened.check.problem}.`
  if (state.arriving === id) return 'It has only just come up. Look at it, then approve.'
  if (opened.before) return 'It changed while it was shown. Look at it again, then approve.'
  return undefined
}

/** Those of the selected that a batch signs, and those that it leaves out, each with the reason. */
export function batchOf(state: Triage): { readonly signs: readonly DraftSummary[]; readonly leaves: readonly { readonly draft: DraftSummary; readonly why: string }[] } {
  const chosen = rowsOf(state).filter(({ id }) => state.selected.includes(id))
  const leaves = chosen.flatMap((draft) => {
    const why = whyNotTogether(draft, state.now)
    return why === undefined ? [] : [{ draft, why }]
  })
  return { signs: chosen.filter((draft) => !leaves.some((left) => left.draft === draft)), leaves }
}

function whyNotTogether(draft: DraftSummary, now: number): string | undefined {
  if (draft.state !== 'waiting') return `it is ${draft.state}`
  if (draft.problem !== null) return draft.problem
  if (Date.parse(draft.expires_at) <= now) return 'its time is over'
  if (draft.risk >= 7) return `risk ${draft.risk}: takes the passkey, by itself`
  if (!draft.session_may_sign) return `${draft.label.word}: takes the passkey, by itself`
  return undefined
}

/** The one that `u` takes back: the draft under the cursor while it is held, else what was approved last, else what is tried again. */
export function undoable({ open, cursor }: Triage): DraftSummary | undefined {
  const held = open.filter(({ state }) => state === 'held')
  // what could not leave yet says why, and is held for longer than what was approved since; so is what has a time of its own
  const isRetried = ({ reason, not_before: notBefore }: DraftSummary) => Number(reason !== null || notBefore !== null)
  return held.find(({ id }) => id === cursor) ?? held.sort((a, b) => isRetried(a) - isRetried(b) || Date.parse(b.hold_until ?? '') - Date.parse(a.hold_until ?? ''))[0]
}

function listed(state: Triage, { drafts, ended, now, point = state.cursor }: Extract<TriageEvent, { type: 'listed' }>): Triage {
  // another one stands in its place already; only who looks at it has to see what became of it
  const isSuperseded = ({ id, state: end }: DraftSummary) => (end === 'replaced' || end === 'undone') && id !== point
  const stays = ended.filter((draft) => !isSuperseded(draft)).map((draft) => ({ draft, until: draft.state === 'failed' ? Number.POSITIVE_INFINITY : now + lingers }))
  const known = state.ended.filter(({ draft }) => !stays.some((other) => other.draft.id === draft.id))
  const next: Triage = {
    ...state, cursor: point, now, loaded: true, problem: undefined, online: true, open: drafts, ended: [...known, ...stays], acts: stillTrue(state, drafts),
    selected: state.selected.filter((id) => drafts.some((draft) => draft.id === id && draft.state === 'waiting')),
  }
  return keepCursor(next, state)
}

function decided(state: Triage, { id, state: became, holdUntil, now }: Extract<TriageEvent, { type: 'decided' }>): Triage {
  const draft = state.open.find((other) => other.id === id)
  const acts = withAct(state.acts, id, undefined)
  if (!draft) return { ...state, acts }
  const changed = { ...draft, state: became, hold_until: holdUntil }
  const isOver = became !== 'held'
  return keepCursor({
    ...state, acts, selected: state.selected.filter((other) => other !== id),
    open: isOver ? state.open.filter((other) => other.id !== id) : state.open.map((other) => (other.id === id ? changed : other)),
    ended: isOver ? [...state.ended, { draft: changed, until: now + lingers }] : state.ended,
  }, state)
}

function moved(state: Triage, by: number): Triage {
  const rows = rowsOf(state)
  const at = rows.findIndex(({ id }) => id === state.cursor)
  const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))]
  return { ...state, cursor: next?.id, arriving: undefined, editing: false }
}

/** After a decision the next one that still waits comes under the cursor, or else the one before. */
export function nextWaiting(state: Triage, id: string): string | undefined {
  const rows = rowsOf(state)
  const at = rows.findIndex((row) => row.id === id)
  const waits = (row: DraftSummary) => row.state === 'waiting' && row.id !== id && !('doing' in (state.acts[row.id] ?? {}))
  return (rows.slice(at + 1).find(waits) ?? rows.slice(0, Math.max(0, at)).findLast(waits))?.id
}

/** A row that left takes the cursor to its neighbour, not to the top. */
function keepCursor(next: Triage, before: Triage): Triage {
  const rows = rowsOf(next)
  if (next.reading || rows.some(({ id }) => id === next.cursor)) return next
  const at = rowsOf(before).findIndex(({ id }) => id === before.cursor)
  const cursor = rows[Math.min(Math.max(at, 0), rows.length - 1)]?.id
  return { ...next, cursor, arriving: before.cursor === undefined ? undefined : cursor, editing: false }
}

/** What failed is no longer told of a draft that went on all the same. */
function stillTrue({ acts, open }: Triage, drafts: readonly DraftSummary[]): Triage['acts'] {
  const stateOf = (list: readonly DraftSummary[], id: string) => list.find((draft) => draft.id === id)?.state
  return Object.fromEntries(Object.entries(acts).filter(([id, act]) => 'doing' in act || stateOf(open, id) === stateOf(drafts, id)))
}

function toggled(ids: readonly string[], id: string): string[] {
  return ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]
}

function withAct(acts: Triage['acts'], id: string, act: Act | undefined): Triage['acts'] {
  const { [id]: _, ...others } = acts
  return act === undefined ? others : { ...others, [id]: act }
}

/** Same id, other hash: the draft changed while it was shown, and the reader has to see that. */
function withOpened(all: Triage['opened'], id: string, opened: Opened): Triage['opened'] {
  const known = all[id]
  const shown = known?.at === 'ready' && known.check.ok ? known.check.draft : undefined
  const changed = opened.at === 'ready' && shown !== undefined && !(opened.check.ok && opened.check.draft.hash === shown.hash)
  const before = (known?.at === 'ready' ? known.before : undefined) ?? (changed ? shown : undefined)
  const { [id]: _, ...others } = all
  const kept = Object.fromEntries(Object.entries(others).slice(-mostOpened))
  return { ...kept, [id]: opened.at === 'ready' && before ? { ...opened, before } : opened }
}
