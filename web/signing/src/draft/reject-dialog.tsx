import { useRef, useState, type FormEvent } from 'react'
import { Button } from '../look/button.tsx'
import { Dialog } from '../look/dialog.tsx'
import { Exact } from '../look/exact.tsx'
import type { DraftSummary } from '../releaser/answers.ts'
import type { TriageVerbs } from '../triage/triage.ts'

interface RejectDialogProps {
  readonly draft: DraftSummary
  readonly triage: TriageVerbs
  readonly onClose: () => void
}

const common = ['Not needed any more', 'Wrong recipient', 'The facts are wrong', 'Not in my words', 'Looks like a deception']

export function RejectDialog({ draft, triage, onClose }: RejectDialogProps) {
  const [reason, setReason] = useState('')
  // the draft that was under the cursor when it opened
  const [{ id, title }] = useState(draft)
  const confirm = useRef<HTMLButtonElement>(null)
  const choose = (one: string) => {
    setReason(one)
    // it can be pressed once the reason stands there
    requestAnimationFrame(() => confirm.current?.focus())
  }
  const reject = (event: FormEvent) => {
    event.preventDefault()
    void triage.deny(id, reason.trim())
  }
  return (
    <Dialog title="Reject: it will not leave" onClose={onClose}>
      <form className="reject" onSubmit={reject}>
        <p className="none"><Exact text={title ?? ''} /></p>
        <label className="field"><span>Reason, for the record and for the job</span><input value={reason} onChange={(event) => setReason(event.target.value)} maxLength={2000} data-focus autoComplete="off" required pattern=".*\S.*" /></label>
        <div className="reasons-common" role="group" aria-label="Common reasons">
          {common.map((one) => <Button key={one} aria-pressed={reason === one} onClick={() => choose(one)}>{one}</Button>)}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button ref={confirm} kind="primary" submit disabled={reason.trim() === ''}>Reject</Button>
        </div>
      </form>
    </Dialog>
  )
}
