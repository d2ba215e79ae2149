import { Alert } from '../look/alert.tsx'
import { Button } from '../look/button.tsx'
import { moment } from '../look/clock.ts'
import { Exact } from '../look/exact.tsx'
import type { TriageVerbs } from './triage.ts'
import type { Triage } from './triage-state.ts'

/** Above everything: what is signed does not leave, why, and the one act that changes it. */
export function FenceBanner({ state, triage }: { readonly state: Triage; readonly triage: TriageVerbs }) {
  const { outbox } = state
  if (outbox?.fence == null) return null
  const { fence, resume, held } = outbox
  const waits = resume !== null && state.open.some(({ id, state: its }) => id === resume && its === 'waiting')
  return (
    <div className="fence" role="region" aria-label="Nothing leaves">
      <Alert tone="bad">
        <strong>Nothing leaves since {moment(fence.at)}</strong>
        <span><Exact text={fence.why} />. {held === 0 ? 'No signed draft is held.' : `${held} signed draft${held === 1 ? ' is' : 's are'} held.`} {fence.waiting.length === 0 ? '' : `Nor do these count: ${fence.waiting.join(', ')}.`} {waits ? 'A draft waits for your passkey by which they leave again.' : resume !== null ? 'You approved that they leave again; it is held.' : ''}</span>
        <div className="alert-acts">
          {waits && <Button onClick={() => triage.dispatch({ type: 'pointed', id: resume, reading: true })}>Open it</Button>}
          {resume === null && <Button disabled={!state.online} onClick={() => void triage.resume()}>Look at what would leave</Button>}
        </div>
      </Alert>
    </div>
  )
}
