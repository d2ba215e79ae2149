import type { RunDetail, StepView } from '../../server/index.ts'
import { pairs, table } from '../terminal/table.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { distance, duration, labelWords, moment, shortId, type Here } from '../terminal/wording.ts'

/** The timeline of a run: the same steps that it would resume from. */
export function runText(run: RunDetail, terminal: Terminal, here: Here): string {
  const took = run.closed_at === null ? '' : `, took ${duration(Date.parse(run.closed_at) - Date.parse(run.opened_at))}`
  const facts: [string, string][] = [
    ['run', run.id],
    ['job', `${run.job}, ${run.origin}, slot ${moment(run.slot, here)}`],
    ['state', `${paintState(terminal, run.state)}${took}`],
    ['label', `${labelWords(run.label)}${run.label.lanes.length > 0 ? `, lane ${run.label.lanes.join(' + ')}` : ''}`],
    ['executor', run.executor ?? 'none yet'],
    ...(run.made_without_model ? [['note', terminal.paint('yellow', 'parts of it were made without a model')] as [string, string]] : []),
    ...(run.error === null ? [] : [['error', terminal.paint('red', `${run.error.message || run.error.code} (${run.error.code})`)] as [string, string]]),
    ...adviceFor(run, here).map((advice): [string, string] => ['do', terminal.paint('bold', terminal.typed(advice))]),
  ]
  const steps = run.steps.map((step) => [
    String(step.position + 1), step.id, step.tool, paintState(terminal, step.state), stepTook(step, here),
    step.attempt > 1 ? String(step.attempt) : '', step.label === null || step.state === 'pending' ? '' : labelWords(step.label),
    [step.made_without_model ? 'made without a model' : '', step.error === null ? '' : step.error.message || step.error.code].filter(Boolean).join('; '),
  ])
  const proposals = run.proposals.map((proposal) => [
    proposal.draft === null ? '' : shortId(proposal.draft), proposal.kind, proposal.connector, paintState(terminal, proposal.state), proposal.step, proposal.refusal ?? '',
  ])
  return [
    pairs(terminal, facts),
    table(terminal, ['', 'STEP', 'TOOL', 'STATE', 'TOOK', 'TRY', 'LABEL', 'NOTE'], steps),
    ...(proposals.length > 0 ? [table(terminal, ['DRAFT', 'KIND', 'CONNECTOR', 'STATE', 'STEP', 'WHY'], proposals)] : []),
  ].join('\n\n')
}

/** What the operator can do about a run now. */
export function adviceFor(run: RunDetail, here: Here): string[] {
  const id = shortId(run.id)
  const waiting = run.proposals.filter((proposal) => proposal.state === 'waiting' && proposal.draft !== null)
  if (waiting.length > 0) return waiting.map((proposal) => `castellan draft show ${shortId(proposal.draft!)}`)
  if (run.state === 'dead') return [`mend the cause, then castellan dead redrive ${id}`]
  if (run.state === 'cancelled') return [`castellan run retry ${id} takes it up where it stopped`]
  if (run.state === 'parked') return ['it waits for a decision: castellan draft list']
  if (run.state === 'queued' && run.not_before !== null) return [`nothing: it tries again ${distance(run.not_before, here)}`]
  return []
}

function stepTook({ started_at, closed_at, state }: StepView, here: Here): string {
  if (started_at === null || state === 'skipped' || state === 'pending') return ''
  return duration((closed_at === null ? here.now.getTime() : Date.parse(closed_at)) - Date.parse(started_at))
}
