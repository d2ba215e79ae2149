import { useState } from 'react'
import { Alert } from '../look/alert.tsx'
import { Button } from '../look/button.tsx'
import { moment, useClock } from '../look/clock.ts'
import { Exact } from '../look/exact.tsx'
import type { DraftSummary } from '../releaser/answers.ts'
import { HoldBar } from '../triage/hold-strip.tsx'
import { doingWords, stateWords } from '../triage/state-words.ts'
import type { TriageVerbs } from '../triage/triage.ts'
import type { Act } from '../triage/triage-state.ts'
import { spell } from './time-left.ts'

interface DraftStandingProps {
  readonly draft: DraftSummary
  readonly act: Act | undefined
  readonly triage: TriageVerbs
}

/** Where the draft stands, when it does not simply wait. */
export function DraftStanding({ draft, act, triage }: DraftStandingProps) {
  const { state, reason, closed_at: closedAt, snoozed_until: snoozedUntil } = draft
  const { word, tone, means } = stateWords[state]
  return (
    <>
      {act !== undefined && 'doing' in act && <Alert tone="good" live><strong>{doingWords[act.doing]}</strong></Alert>}
      {act !== undefined && 'failed' in act && <Alert tone="bad" live><span>{act.failed}</span><div className="alert-acts"><Button onClick={() => triage.dispatch({ type: 'dismissed', id: draft.id })}>Dismiss</Button></div></Alert>}
      {state === 'held' && draft.hold_until !== null && <Held draft={draft} until={draft.hold_until} triage={triage} />}
      {state === 'unknown' && <Unknown draft={draft} triage={triage} />}
      {state !== 'waiting' && state !== 'held' && state !== 'unknown' && (
        <Alert tone={tone === 'alarm' ? 'bad' : tone === 'calm' ? 'good' : 'warm'}>
          <strong>{word[0]!.toUpperCase() + word.slice(1)}{closedAt !== null && `, ${moment(closedAt)}`}</strong>
          <span>{means}{reason !== null && <> <Exact text={reason} /></>}</span>
          {state === 'failed' && <div className="alert-acts"><Button onClick={() => { triage.dispatch({ type: 'dismissed', id: draft.id }); triage.dispatch({ type: 'reading', reading: false }) }}>Seen</Button></div>}
        </Alert>
      )}
      {state === 'waiting' && snoozedUntil !== null && Date.parse(snoozedUntil) > triage.now() && (
        <Alert><span>Snoozed until {moment(snoozedUntil)}.</span><div className="alert-acts"><Button onClick={() => void triage.snooze(draft.id, null)}>Bring it back now</Button></div></Alert>
      )}
    </>
  )
}

function Held({ draft, until, triage }: { readonly draft: DraftSummary; readonly until: string; readonly triage: TriageVerbs }) {
  const left = Math.max(0, Date.parse(until) - useClock(triage.now, 100))
  return (
    <Alert tone="good">
      <strong>{left > 0 ? `Approved. Leaves in ${spell(Math.ceil(left / 1000))}` : 'Approved. Leaving now'}</strong>
      <HoldBar left={left} />
      {draft.reason !== null && <span><Exact text={draft.reason} /></span>}
      <div className="alert-acts"><Button shortcut="u" disabled={left === 0} onClick={() => void triage.undo(draft.id)}>Undo</Button></div>
    </Alert>
  )
}

function Unknown({ draft, triage }: { readonly draft: DraftSummary; readonly triage: TriageVerbs }) {
  const [reason, setReason] = useState('')
  const say = (outcome: 'released' | 'failed') => void triage.resolve(draft.id, outcome, reason.trim() || (outcome === 'released' ? 'the operator looked: it arrived' : 'the operator looked: it did not arrive'))
  return (
    <Alert tone="bad">
      <strong>Did it arrive?</strong>
      <span>{stateWords.unknown.means}{draft.reason !== null && <> <Exact text={draft.reason} />.</>} Look into the sent folder, or ask the recipient; then say so here.</span>
      <label className="field"><span>How you know (optional)</span><input value={reason} onChange={(event) => setReason(event.target.value)} maxLength={2000} /></label>
      <div className="alert-acts">
        <Button onClick={() => say('released')}>It arrived</Button>
        <Button onClick={() => say('failed')}>It did not arrive</Button>
      </div>
    </Alert>
  )
}
