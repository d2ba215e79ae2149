import { RiskMark } from '../draft/risk-mark.tsx'
import { Button } from '../look/button.tsx'
import { Dialog } from '../look/dialog.tsx'
import { Exact } from '../look/exact.tsx'
import { useState } from 'react'
import { LaterField, localText } from '../draft/later-dialog.tsx'
import { spread } from '../keys/set-time.ts'
import type { TriageVerbs } from './triage.ts'
import { batchOf, type Triage } from './triage-state.ts'

interface BatchDialogProps {
  readonly state: Triage
  readonly triage: TriageVerbs
  readonly onClose: () => void
}

/** What stands here when it opens is what is signed, and nothing that came meanwhile. */
export function BatchDialog({ state, triage, onClose }: BatchDialogProps) {
  const [{ signs, leaves }] = useState(() => batchOf(state))
  const [every, setEvery] = useState('')
  const [from, setFrom] = useState(() => localText(new Date(triage.now())))
  const times = () => (Number(every) > 0 ? spread(signs.length, { first: new Date(from).getTime(), apartMs: Number(every) * 3_600_000, now: triage.now() }) : [])
  return (
    <Dialog title={signs.length === 0 ? 'None of these can be approved together' : `Approve ${signs.length}, each by its own hash`} onClose={onClose}>
      {signs.length > 0 && (
        <ul className="batch" aria-label="Will be signed">
          {signs.map((draft) => (
            <li key={draft.id}>
              <span className="batch-title"><Exact text={draft.title ?? ''} /></span>
              <span className="batch-to"><Exact text={[...draft.recipients.to, ...draft.recipients.cc, ...draft.recipients.bcc.map((one) => `BCC ${one}`)].join(', ')} /></span>
              <RiskMark risk={draft.risk} />
            </li>
          ))}
        </ul>
      )}
      {signs.length > 0 && <Apart every={every} onEvery={setEvery} from={from} onFrom={setFrom} />}
      {leaves.length > 0 && (
        <div className="batch-left">
          <h3>{leaves.length === 1 ? 'One is left out' : `${leaves.length} are left out`}</h3>
          <ul className="batch">{leaves.map(({ draft, why }) => <li key={draft.id}><span className="batch-title"><Exact text={draft.title ?? ''} /></span><span className="batch-why">{why}</span></li>)}</ul>
        </div>
      )}
      <div className="dialog-foot">
        <Button onClick={onClose} data-focus={(signs.length === 0) || undefined}>{signs.length === 0 ? 'Back' : 'Cancel'}</Button>
        {signs.length > 0 && <Button kind="primary" data-focus disabled={!state.online || (every !== '' && !(Number(every) > 0 && from !== ''))} onClick={() => void triage.approveTogether(signs, times())}>Approve {signs.length}</Button>}
      </div>
    </Dialog>
  )
}

interface ApartProps {
  /** Hours; empty: all right after their hold. */
  readonly every: string
  readonly onEvery: (text: string) => void
  readonly from: string
  readonly onFrom: (text: string) => void
}

/** One every so many hours of real time, in the order of the list. */
function Apart({ every, onEvery, from, onFrom }: ApartProps) {
  return (
    <div className="later">
      <label className="field"><span>One every so many hours (empty: all at once)</span><input type="number" min="0.1" max="168" step="any" value={every} onChange={(event) => onEvery(event.target.value)} /></label>
      {every !== '' && <LaterField name="The first at" text={from} onText={onFrom} />}
    </div>
  )
}
