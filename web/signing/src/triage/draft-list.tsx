import { IconMoon, IconShieldCheck, IconHistory, IconRefresh } from '@tabler/icons-react'
import { useEffect, useRef, type ReactNode } from 'react'
import { Alert } from '../look/alert.tsx'
import { Button } from '../look/button.tsx'
import type { DraftSummary } from '../releaser/answers.ts'
import { DraftRow } from './draft-row.tsx'
import type { TriageVerbs } from './triage.ts'
import { batchOf, type Triage, type View } from './triage-state.ts'

interface DraftListProps {
  readonly rows: readonly DraftSummary[]
  readonly state: Triage
  readonly triage: TriageVerbs
  readonly isWide: boolean
  /** Moving by key takes the focus along, so that it is read out. */
  readonly takesFocus: boolean
}

const names: Record<View, string> = { waiting: 'Waiting drafts', snoozed: 'Snoozed drafts', history: 'Decided drafts' }

export function DraftList({ rows, state, triage, isWide, takesFocus }: DraftListProps) {
  const list = useRef<HTMLOListElement>(null)
  const { cursor, reading, view } = state
  useEffect(() => {
    if (cursor === undefined || (reading && !isWide)) return
    const row = list.current?.querySelector<HTMLElement>(`[data-id="${cursor}"]`)
    row?.scrollIntoView({ block: 'nearest' })
    // only from row to row: a field, a dialog or the draft keeps what it has
    const has = document.activeElement
    if (takesFocus && (has === document.body || has?.closest('.rows, .draft-pane:not(.editing)'))) row?.querySelector<HTMLElement>('.row-link')?.focus({ preventScroll: true })
  }, [cursor, reading, isWide, takesFocus, view])

  const now = triage.now()
  return (
    <section className="list-pane" aria-label={names[view]} inert={reading && !isWide}>
      {state.problem && <div className="list-problem"><Alert tone="bad" live>
        <strong>{state.problem.code === 'offline' ? 'Offline' : 'The list could not be read'}</strong>
        <span>{state.problem.code === 'offline' ? 'What stands here may be old. Nothing can be decided, and nothing is kept for later.' : state.problem.message}</span>
        <div className="alert-acts"><Button icon={<IconRefresh size={16} aria-hidden="true" />} onClick={() => void triage.refresh()}>Try now</Button></div>
      </Alert></div>}
      {state.selected.length > 0 && <Selection state={state} triage={triage} />}
      {rows.length === 0 ? <Nothing state={state} triage={triage} /> : (
        <ol className="rows" ref={list}>
          {rows.map((draft) => (
            <DraftRow key={draft.id} draft={draft} act={state.acts[draft.id]} isCursor={draft.id === cursor} isSelected={state.selected.includes(draft.id)} isPast={view === 'history'} now={tickOf(draft, now)} triage={triage} />
          ))}
        </ol>
      )}
    </section>
  )
}

/** The time that a row tells: by the second when little is left, by the minute (rounded up, so that no time is promised) otherwise, 0 where none runs. */
function tickOf({ state, expires_at: expiresAt }: DraftSummary, now: number): number {
  if (state !== 'waiting' && state !== 'held') return 0
  const step = state === 'held' || Date.parse(expiresAt) - now < 600_000 ? 1_000 : 60_000
  return step === 1_000 ? now - (now % step) : now - (now % step) + step
}

function Selection({ state, triage }: Pick<DraftListProps, 'state' | 'triage'>) {
  const { signs, leaves } = batchOf(state)
  return (
    <div className="selection" role="group" aria-label="Selected drafts">
      <span>{state.selected.length} selected{leaves.length > 0 && `, ${leaves.length} left out`}</span>
      <Button kind="quiet" onClick={() => triage.dispatch({ type: 'unselected' })}>None</Button>
      <Button kind="primary" shortcut="A" onClick={() => triage.dispatch({ type: 'overlay', overlay: 'batch' })}>Approve {signs.length}</Button>
    </div>
  )
}

const empty: Record<View, { icon: ReactNode; title: string; text: string }> = {
  waiting: { icon: <IconShieldCheck size={30} aria-hidden="true" />, title: 'Nothing waits for you', text: 'When a job proposes something that would leave the house, it appears here by itself. Nothing leaves before you have signed it.' },
  snoozed: { icon: <IconMoon size={30} aria-hidden="true" />, title: 'Nothing is snoozed', text: 'Snoozing hides a draft for a while, never past its deadline.' },
  history: { icon: <IconHistory size={30} aria-hidden="true" />, title: 'Nothing was decided yet', text: 'What you approve or reject stands here afterwards, with its receipt.' },
}

function Nothing({ state, triage }: Pick<DraftListProps, 'state' | 'triage'>) {
  if (state.problem && !state.loaded) return null
  if (!state.loaded || (state.view === 'history' && state.closed === undefined)) {
    return <div className="rows-loading" role="status"><span className="hidden-text">The drafts are being fetched.</span>{[0, 1, 2, 3, 4].map((row) => <div key={row} className="row-ghost" />)}</div>
  }
  const { icon, title, text } = empty[state.view]
  return (
    <div className="nothing">
      {icon}
      <h2>{title}</h2>
      <p>{text}</p>
      {state.view === 'waiting'
        ? <Button onClick={() => { triage.dispatch({ type: 'viewed', view: 'history' }); void triage.refresh() }}>See what was decided</Button>
        : <Button onClick={() => triage.dispatch({ type: 'viewed', view: 'waiting' })}>Back to what waits</Button>}
    </div>
  )
}
