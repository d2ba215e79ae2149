import { IconCalendarTime, IconCheck, IconClock, IconFingerprint, IconPencil, IconX } from '@tabler/icons-react'
import { Button } from '../look/button.tsx'
import type { DraftSummary } from '../releaser/answers.ts'
import type { TriageVerbs } from '../triage/triage.ts'
import type { Triage } from '../triage/triage-state.ts'
import { perform } from '../triage/use-keys.ts'
import type { Command } from '../triage/keymap.ts'

interface DraftActsProps {
  readonly draft: DraftSummary
  readonly state: Triage
  readonly triage: TriageVerbs
  readonly isSignable: boolean
  readonly takesPasskey: boolean
  readonly isWide: boolean
}

/** At the foot of the draft, always in reach. */
export function DraftActs({ draft, state, triage, isSignable, takesPasskey, isWide }: DraftActsProps) {
  if (draft.state !== 'waiting') return null
  const isBusy = 'doing' in (state.acts[draft.id] ?? {})
  const isOver = Date.parse(draft.expires_at) <= state.now
  const may = state.online && !isBusy && !isOver
  const on = (command: Command) => () => perform(command, triage, isWide, () => undefined)
  return (
    <div className="acts" role="group" aria-label="Decide">
      {(!state.online || isOver) && <p className="acts-why">{isOver ? 'Time is over: it counts as denied.' : 'Offline: nothing can be decided, and nothing is kept for later.'}</p>}
      <Button kind="primary" shortcut="a" disabled={!may || !isSignable || state.arriving === draft.id} onClick={on('approve')} icon={takesPasskey ? <IconFingerprint size={18} aria-hidden="true" /> : <IconCheck size={18} aria-hidden="true" />}>
        {takesPasskey ? 'Approve with passkey' : 'Approve'}
      </Button>
      <Button shortcut="e" disabled={!may || !isSignable || draft.kind !== 'mail'} onClick={on('edit')} icon={<IconPencil size={17} aria-hidden="true" />}>Edit</Button>
      <Button shortcut="r" disabled={!may} onClick={on('reject')} icon={<IconX size={17} aria-hidden="true" />}>Reject</Button>
      <Button shortcut="l" disabled={!may || !isSignable} onClick={on('later')} icon={<IconCalendarTime size={17} aria-hidden="true" />}>Later</Button>
      <Button shortcut="h" disabled={!may} onClick={on('snooze')} icon={<IconClock size={17} aria-hidden="true" />}>Snooze</Button>
    </div>
  )
}
