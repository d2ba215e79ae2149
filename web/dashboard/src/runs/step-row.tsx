import { IconChevronRight, IconRefresh } from '@tabler/icons-react'
import { useId, useState } from 'react'
import type { LogLine, Proposal, Step } from '../api/views.ts'
import { LabelChip } from '../parts/label-chip.tsx'
import { State } from '../parts/state.tsx'
import { duration } from '../words/wording.ts'
import { LogLines } from './log-lines.tsx'
import { Output, Withheld } from './output.tsx'
import { ProposalRow } from './proposal-row.tsx'
import { useRevealed } from './use-revealed.ts'
import type { Span } from './waterfall.ts'

interface StepRowProps {
  readonly run: string
  readonly step: Step
  readonly span: Span | null
  readonly lines: readonly LogLine[]
  readonly proposals: readonly Proposal[]
  /** Absent while the run is open, or for a step that it has not reached. */
  readonly onRetry: (() => void) | undefined
}

/** A step on the timeline; opened, what it logged, proposed and returned. */
export function StepRow({ run, step, span, lines, proposals, onRetry }: StepRowProps) {
  const [open, setOpen] = useState(false)
  const id = useId()
  const begun = step.state !== 'pending'
  return (
    <li className={`step step-${step.state}`} id={`step-${step.id}`}>
      <div className="step-line">
        <span className="step-shape"><State state={step.state} bare /></span>
        <button type="button" data-row className="step-open" aria-expanded={open} aria-controls={id} disabled={!begun} onClick={() => setOpen(!open)}>
          <IconChevronRight size={14} aria-hidden className="chevron" />
          <span className="title">{step.id}</span>
          <code>{step.tool}</code>
        </button>
        <span className="step-marks">
          {step.label !== null && <LabelChip label={step.label} />}
          {step.made_without_model && <span className="chip">made without a model</span>}
          {step.attempt > 1 && <span className="chip tone-warn">attempt {step.attempt}</span>}
          <span className="step-word">{step.state}</span>
          <span className="step-time">{span === null ? '' : duration(span.milliseconds)}</span>
        </span>
        <span className="step-bar" aria-hidden>{span !== null && <i style={{ insetInlineStart: `${span.from * 100}%`, width: `max(3px, ${span.width * 100}%)` }} />}</span>
      </div>
      {step.error !== null && <p className="step-error"><code>{step.error.code}</code> {step.error.message}</p>}
      <div className="step-inner" id={id} hidden={!open}>
        {open && (
          <>
            {proposals.length > 0 && <ul className="nested">{proposals.map((proposal) => <ProposalRow key={proposal.id} proposal={proposal} />)}</ul>}
            {lines.length > 0 && <LogLines lines={lines} />}
            <StepOutput run={run} step={step} />
            {onRetry && <button type="button" className="text-button touch" onClick={onRetry}><IconRefresh size={14} aria-hidden />Retry from {step.id}</button>}
          </>
        )}
      </div>
    </li>
  )
}

function StepOutput({ run, step }: { run: string; step: Step }) {
  const revealed = useRevealed(run)
  if (step.withheld && revealed.run === undefined) return <Withheld what="What it returned" {...revealed} />
  const output = step.withheld ? revealed.run?.steps.find(({ id }) => id === step.id)?.output : step.output
  return output === null || output === undefined ? <p className="faint">{step.closed_at === null ? 'It has returned nothing yet.' : 'It returned nothing.'}</p> : <Output value={output} />
}
