import { useState, type FormEvent } from 'react'
import { Button } from '../look/button.tsx'
import { Dialog } from '../look/dialog.tsx'
import type { DraftSummary } from '../releaser/answers.ts'
import type { TriageVerbs } from '../triage/triage.ts'

interface LaterDialogProps {
  readonly draft: DraftSummary
  readonly triage: TriageVerbs
  readonly onClose: () => void
}

/** Sign now, leave then: the time goes into what is signed. */
export function LaterDialog({ draft, triage, onClose }: LaterDialogProps) {
  const [text, setText] = useState(() => localText(new Date(triage.now() + 3_600_000)))
  const at = new Date(text)
  const problem = Number.isNaN(at.getTime()) ? 'Choose a day and a time.' : at.getTime() <= triage.now() ? 'That has passed.' : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (problem === undefined) void triage.approveAt(draft.id, at)
  }
  return (
    <Dialog title="Approve, to leave later" onClose={onClose}>
      <form onSubmit={submit} className="later">
        <LaterField name="Leaves at" text={text} onText={setText} />
        <p className="none" role="status">{problem ?? <>Signed as <code>{at.toISOString()}</code>. It can be taken back until then, and leaves if you do nothing.</>}</p>
        <div className="dialog-foot"><Button onClick={onClose}>Cancel</Button><Button kind="primary" submit disabled={problem !== undefined}>Approve for then</Button></div>
      </form>
    </Dialog>
  )
}

/** By the clock of this device; its zone stands beside it. */
export function LaterField({ name, text, onText }: { readonly name: string; readonly text: string; readonly onText: (text: string) => void }) {
  return <label className="field"><span>{name}, by the clock in {Intl.DateTimeFormat().resolvedOptions().timeZone}</span><input type="datetime-local" value={text} onChange={(event) => onText(event.target.value)} data-focus /></label>
}

/** As the field wants it: the clock of this device, to the minute. */
export function localText(at: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}
