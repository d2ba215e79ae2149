import { IconArrowBackUp, IconX } from '@tabler/icons-react'
import { useEffect } from 'react'
import { spell } from '../draft/time-left.ts'
import { Button } from '../look/button.tsx'
import { useClock } from '../look/clock.ts'
import { Exact } from '../look/exact.tsx'
import { useStore } from '../look/store.ts'
import type { DraftSummary } from '../releaser/answers.ts'
import type { TriageVerbs } from './triage.ts'
import { undoable, type Triage } from './triage-state.ts'

interface HoldStripProps {
  readonly state: Triage
  readonly triage: TriageVerbs
}

/** At the foot of the page: what can still be taken back, and what was said last. */
export function HoldStrip({ state, triage }: HoldStripProps) {
  const notice = useStore(triage.notice)
  const last = undoable({ ...state, cursor: undefined })
  const others = state.open.filter((draft) => draft.state === 'held' && draft.id !== last?.id).length
  useEffect(() => {
    if (notice === undefined || notice.tone === 'bad') return
    const timer = setTimeout(() => triage.notice.set(undefined), 6_000)
    return () => clearTimeout(timer)
  }, [notice, triage])
  return (
    <div className="foot">
      <div role="status" aria-live="polite">
        {notice && <p className={`notice ${notice.tone}`}><span><Exact text={notice.text} /></span><Button kind="quiet" aria-label="Dismiss this message" icon={<IconX size={16} aria-hidden="true" />} onClick={() => triage.notice.set(undefined)} /></p>}
      </div>
      {last && !isFarOff(last, state.now) && <Held key={last.id} draft={last} others={others} triage={triage} />}
    </div>
  )
}

/** What leaves at a time of its own is taken back in its draft; the foot of the page is for what leaves soon. */
function isFarOff({ not_before: notBefore, hold_until: until }: DraftSummary, now: number): boolean {
  return notBefore !== null && Date.parse(until ?? '') > now + 60_000
}

function Held({ draft, others, triage }: { readonly draft: DraftSummary; readonly others: number; readonly triage: TriageVerbs }) {
  const now = useClock(triage.now, 100)
  const left = Math.max(0, Date.parse(draft.hold_until ?? '') - now)
  return (
    <section className="held" aria-label="Held before it leaves">
      <HoldBar left={left} />
      <p>
        <strong>{left > 0 ? `Leaves in ${spell(Math.ceil(left / 1000))}` : 'Leaving'}</strong>
        <span className="held-title"><Exact text={draft.title ?? ''} /></span>
        {others > 0 && <span className="held-others">and {others} more</span>}
      </p>
      <Button shortcut="u" disabled={left === 0} icon={<IconArrowBackUp size={18} aria-hidden="true" />} onClick={() => void triage.undo(draft.id)}>Undo</Button>
    </section>
  )
}

/** How much of ten seconds is left; the text beside it says the same. */
export function HoldBar({ left }: { readonly left: number }) {
  return <div className="hold-bar" aria-hidden="true"><div style={{ transform: `scaleX(${Math.min(1, left / 10_000)})` }} /></div>
}
