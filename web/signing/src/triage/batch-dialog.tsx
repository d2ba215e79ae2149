import { RiskMark } from '../draft/risk-mark.tsx'
import { Button } from '../look/button.tsx'
import { Dialog } from '../look/dialog.tsx'
import { Exact } from '../look/exact.tsx'
import { useState } from 'react'
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
      {leaves.length > 0 && (
        <div className="batch-left">
          <h3>{leaves.length === 1 ? 'One is left out' : `${leaves.length} are left out`}</h3>
          <ul className="batch">{leaves.map(({ draft, why }) => <li key={draft.id}><span className="batch-title"><Exact text={draft.title ?? ''} /></span><span className="batch-why">{why}</span></li>)}</ul>
        </div>
      )}
      <div className="dialog-foot">
        <Button onClick={onClose} data-focus={(signs.length === 0) || undefined}>{signs.length === 0 ? 'Back' : 'Cancel'}</Button>
        {signs.length > 0 && <Button kind="primary" data-focus disabled={!state.online} onClick={() => void triage.approveTogether(signs)}>Approve {signs.length}</Button>}
      </div>
    </Dialog>
  )
}
