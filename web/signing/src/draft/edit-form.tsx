import { useState, type FormEvent, type KeyboardEvent } from 'react'
import { Alert } from '../look/alert.tsx'
import { Button } from '../look/button.tsx'
import type { CheckedDraft } from '../keys/check-draft.ts'
import type { Refusal } from '../releaser/call.ts'
import type { TriageVerbs } from '../triage/triage.ts'
import type { Triage } from '../triage/triage-state.ts'

interface EditFormProps {
  readonly checked: CheckedDraft
  readonly state: Triage
  readonly triage: TriageVerbs
  readonly isWide: boolean
}

/** Saving freezes a new draft and closes this one. It signs nothing. */
export function EditForm({ checked, state, triage, isWide }: EditFormProps) {
  const Title = isWide ? 'h2' : 'h1'
  const { document, wire } = checked
  const first = { to: lines(document.recipients.to), cc: lines(document.recipients.cc), bcc: lines(document.recipients.bcc), subject: document.title, text: wire.text.replace(/\n$/, '') }
  const [edited, setEdited] = useState(first)
  const [problem, setProblem] = useState<Refusal>()
  const [isLeaving, setLeaving] = useState(false)
  const isBusy = 'doing' in (state.acts[checked.id] ?? {})
  const isChanged = JSON.stringify(edited) !== JSON.stringify(first)
  const set = (field: keyof typeof first) => (value: string) => {
    setEdited({ ...edited, [field]: value })
    setLeaving(false)
  }
  const leave = () => (isChanged && !isLeaving ? setLeaving(true) : triage.dispatch({ type: 'editing', editing: false }))
  const save = async (event?: FormEvent) => {
    event?.preventDefault()
    if (!isChanged || isBusy || !state.online) return
    setProblem(undefined)
    setProblem(await triage.edit(checked.id, checked.hash, {
      recipients: { to: addresses(edited.to), cc: addresses(edited.cc), bcc: addresses(edited.bcc) }, subject: edited.subject, text: edited.text,
    }))
  }
  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void save()
    else if (event.key === 'Escape') leave()
    else return
    event.preventDefault()
  }
  return (
    <form className="edit" onSubmit={save} onKeyDown={pressed}>
      <div className="draft-body">
        <Title className="draft-title">Edit</Title>
        <Addresses name="To" value={edited.to} onValue={set('to')} isFirst />
        <Addresses name="Cc" value={edited.cc} onValue={set('cc')} />
        <Addresses name="Bcc" value={edited.bcc} onValue={set('bcc')} />
        <label className="field"><span>Subject</span><input value={edited.subject} onChange={(event) => set('subject')(event.target.value)} maxLength={500} /></label>
        <label className="field edit-text"><span>Text</span><textarea className="mono" rows={14} value={edited.text} onChange={(event) => set('text')(event.target.value)} /></label>
        {document.attachments.length > 0 && <p className="none">Attachments stay as they are: {document.attachments.map(({ name }) => name).join(', ')}.</p>}
        {problem && <Alert tone="bad" live>{problem.message}</Alert>}
        {isLeaving && <Alert live><span>What you changed would be lost. Escape again leaves.</span></Alert>}
      </div>
      <div className="acts">
        <Button kind="primary" submit disabled={!isChanged || isBusy || !state.online}>{isBusy ? 'Saving …' : 'Save as a new draft'}<kbd className="kbd" aria-hidden="true">Ctrl ↵</kbd></Button>
        <Button onClick={leave}>{isLeaving ? 'Discard' : 'Cancel'}<kbd className="kbd" aria-hidden="true">Esc</kbd></Button>
        <p className="acts-why">{state.online ? 'Saving signs nothing: the new draft is shown again.' : 'Offline: nothing can be saved.'}</p>
      </div>
    </form>
  )
}

function Addresses({ name, value, onValue, isFirst = false }: { readonly name: string; readonly value: string; readonly onValue: (value: string) => void; readonly isFirst?: boolean }) {
  return (
    <label className="field">
      <span>{name}, one address a line</span>
      <textarea rows={Math.max(1, value.split('\n').length)} value={value} onChange={(event) => onValue(event.target.value)} autoFocus={isFirst} spellCheck={false} autoCapitalize="none" />
    </label>
  )
}

function lines(all: readonly string[]): string {
  return all.join('\n')
}

function addresses(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '')
}
