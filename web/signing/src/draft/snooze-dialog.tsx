import { useState } from 'react'
import { Button } from '../look/button.tsx'
import { moment } from '../look/clock.ts'
import { Dialog } from '../look/dialog.tsx'
import type { DraftSummary } from '../releaser/answers.ts'
import type { TriageVerbs } from '../triage/triage.ts'
import { snoozeChoices } from './time-left.ts'

interface SnoozeDialogProps {
  readonly draft: DraftSummary
  readonly triage: TriageVerbs
  readonly onClose: () => void
}

export function SnoozeDialog({ draft, triage, onClose }: SnoozeDialogProps) {
  const [choices] = useState(() => snoozeChoices(draft.expires_at, new Date(triage.now())))
  const firstPossible = choices.find(({ possible }) => possible)
  return (
    <Dialog title="Snooze" onClose={onClose}>
      <p className="none">It comes back by itself. Its deadline stays: {moment(draft.expires_at)}.</p>
      <ul className="snooze">
        {choices.map((choice) => (
          <li key={choice.name}>
            <Button className="wide" disabled={!choice.possible} data-focus={(choice === firstPossible) || undefined} onClick={() => void triage.snooze(draft.id, choice.until)}>
              <span>{choice.name}</span><span className="snooze-until">{choice.possible ? moment(choice.until) : 'after its deadline'}</span>
            </Button>
          </li>
        ))}
      </ul>
      <div className="dialog-foot"><Button onClick={onClose} data-focus={(firstPossible === undefined) || undefined}>Cancel</Button></div>
    </Dialog>
  )
}
