import { Alert } from '../look/alert.tsx'
import { Button } from '../look/button.tsx'
import type { CheckedDraft } from '../keys/check-draft.ts'
import { Differences, RecipientChanges } from './differences.tsx'

interface WhatChangedProps {
  readonly before: CheckedDraft
  readonly after: CheckedDraft
  readonly onSeen: () => void
}

/** The draft was swapped while it was shown: nothing was signed, and this is the difference. */
export function WhatChanged({ before, after, onSeen }: WhatChangedProps) {
  const others = (
    [
      ['from', before.document.from, after.document.from],
      ['connector', before.document.connector.name, after.document.connector.name],
      ['risk', String(before.document.risk), String(after.document.risk)],
      ['label', `P${before.document.label.level} ${before.document.label.integrity}`, `P${after.document.label.level} ${after.document.label.integrity}`],
      ['attachments', namesOf(before), namesOf(after)],
      ['deadline', before.document.expires_at, after.document.expires_at],
    ] as const
  ).filter(([, was, is]) => was !== is)
  return (
    <Alert tone="bad" live>
      <strong>This draft changed while it was shown. Nothing was signed.</strong>
      <RecipientChanges before={before.document.recipients} after={after.document.recipients} />
      {before.document.title !== after.document.title && <p><span className="legend">Subject</span> <Differences before={before.document.title} after={after.document.title} /></p>}
      {others.map(([name, was, is]) => <p key={name}><span className="legend">{name}</span> <Differences before={was} after={is} /></p>)}
      {before.wire.text !== after.wire.text && <Differences before={before.wire.text} after={after.wire.text} isText />}
      <div className="alert-acts"><Button onClick={onSeen}>I have seen it</Button></div>
    </Alert>
  )
}

function namesOf({ document }: CheckedDraft): string {
  return document.attachments.map(({ name, sha256 }) => `${name} ${sha256}`).join(', ')
}
