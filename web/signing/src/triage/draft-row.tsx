import { IconPaperclip, IconUserQuestion } from '@tabler/icons-react'
import { memo } from 'react'
import { RiskMark } from '../draft/risk-mark.tsx'
import { timeLeft } from '../draft/time-left.ts'
import { moment } from '../look/clock.ts'
import { Exact } from '../look/exact.tsx'
import type { DraftSummary } from '../releaser/answers.ts'
import { stateWords, doingWords } from './state-words.ts'
import type { TriageVerbs } from './triage.ts'
import type { Act } from './triage-state.ts'

interface DraftRowProps {
  readonly draft: DraftSummary
  readonly act: Act | undefined
  readonly isCursor: boolean
  readonly isSelected: boolean
  readonly isPast: boolean
  /** In whole seconds, and 0 where no time runs: a row is drawn anew only when it says something new. */
  readonly now: number
  readonly triage: TriageVerbs
}

export const DraftRow = memo(function DraftRow({ draft, act, isCursor, isSelected, isPast, now, triage }: DraftRowProps) {
  const { id, state, title, recipients, attachments, label } = draft
  const to = [...recipients.to, ...recipients.cc, ...recipients.bcc]
  const mayBeSelected = state === 'waiting' && !isPast
  return (
    <li className="row" data-id={id} data-state={state} data-cursor={isCursor || undefined}>
      {mayBeSelected
        ? <label className="row-check"><input type="checkbox" checked={isSelected} onChange={() => triage.dispatch({ type: 'selected', id })} aria-label={`Select “${title ?? 'draft'}”`} /></label>
        : <span className="row-check" />}
      <a
        className="row-link"
        href={`#draft=${id}`}
        aria-current={isCursor ? 'true' : undefined}
        onClick={(event) => {
          event.preventDefault()
          triage.dispatch({ type: 'pointed', id, reading: true })
        }}
        onFocus={() => triage.store.get().cursor !== id && triage.dispatch({ type: 'pointed', id })}
      >
        <span className="row-top">
          <span className="row-to">
            <span className="row-name"><Exact text={nameOf(to[0])} /></span>
            {to.length > 1 && <span className="row-more">+{to.length - 1}</span>}
            {recipients.bcc.length > 0 && <span className="row-bcc">BCC</span>}
          </span>
          <Status draft={draft} act={act} now={now} isPast={isPast} />
        </span>
        <span className="row-title"><Exact text={title === null || title === '' ? '(no subject)' : title} /></span>
        <span className="row-facts">
          <RiskMark risk={draft.risk} />
          <span>{label.word}</span>
          {label.integrity === 'untrusted' && <span className="row-taint"><IconUserQuestion size={14} aria-hidden="true" /><span>untrusted</span></span>}
          {attachments.length > 0 && <span className="row-clip"><IconPaperclip size={14} aria-hidden="true" /><span className="hidden-text">attachments: </span>{attachments.length}</span>}
          {draft.replaces !== null && <span>frozen again</span>}
        </span>
        {act !== undefined && 'failed' in act && <span className="row-failed">{act.failed}</span>}
      </a>
    </li>
  )
})

function Status({ draft, act, now, isPast }: Pick<DraftRowProps, 'draft' | 'act' | 'now' | 'isPast'>) {
  if (act !== undefined && 'doing' in act) return <span className="row-status calm">{doingWords[act.doing]}</span>
  const { state, expires_at: expiresAt, hold_until: holdUntil, closed_at: closedAt } = draft
  if (state === 'waiting') {
    const { text, pressing } = timeLeft(expiresAt, now)
    return <span className={`row-status ${pressing}`}><span className="hidden-text">{pressing === 'over' ? '' : 'time left: '}</span>{text}</span>
  }
  if (state === 'held' && holdUntil !== null) {
    const { text, pressing } = timeLeft(holdUntil, now)
    return <span className="row-status calm">{pressing === 'over' ? 'leaving' : `leaves in ${text}`}</span>
  }
  return <span className={`row-status ${stateWords[state].tone}`}>{stateWords[state].word}{isPast && closedAt !== null && <span className="row-when"> {moment(closedAt)}</span>}</span>
}

/** The name where there is one, else the address. */
function nameOf(recipient: string | undefined): string {
  if (recipient === undefined) return '(nobody)'
  return /^(.+?) <[^<>]*>$/.exec(recipient)?.[1] ?? recipient
}
