import type { ErrorView, LogLine, ProposalView, RunDetail, RunSummary, StepView, TodayView, ToolRunView } from '../api.ts'

const leftOut = 'what it says is P3 local only and was left out'

/**
 * What is P3 local only does not go into a browser unasked: there it would lie in caches, developer tools and extensions.
 * States, times and codes stay; outputs, inputs, messages and fields go.
 */
export function withholdRun(run: RunDetail): RunDetail {
  const summary = withholdSummary(run)
  const own = isLocalOnly(run) && { input: null, withheld: true, proposals: run.proposals.map(withholdRefusal) }
  return { ...run, ...summary, ...own, steps: run.steps.map(withholdStep) }
}

/** The line of a run in a list. */
export function withholdSummary<T extends RunSummary>(run: T): T {
  return isLocalOnly(run) ? { ...run, error: onlyCode(run.error) } : run
}

/** What a step logged while it held what is P3. */
export function withholdLine(line: LogLine): LogLine {
  return isLocalOnly(line) ? { ...line, message: '', fields: {}, withheld: true } : line
}

/** The morning page: the brief goes like an output. */
export function withholdToday(today: TodayView): TodayView {
  const { brief, dead, runs } = today
  return { ...today, brief: brief && isLocalOnly(brief) ? { ...brief, text: null } : brief, dead: dead.map(withholdSummary), runs: runs.map(withholdSummary) }
}

/** The answer of a tool that the operator ran by itself. */
export function withholdToolRun(run: ToolRunView): ToolRunView {
  return isLocalOnly(run) ? { ...run, output: null, withheld: true, error: onlyCode(run.error) } : run
}

function withholdStep(step: StepView): StepView {
  return isLocalOnly(step) ? { ...step, output: null, error: onlyCode(step.error), withheld: true } : step
}

/** Why a proposal was refused may name what was in it. */
function withholdRefusal(proposal: ProposalView): ProposalView {
  return { ...proposal, refusal: proposal.refusal && leftOut }
}

function isLocalOnly({ label }: { label: StepView['label'] }): boolean {
  return label?.level === 3
}

function onlyCode(error: ErrorView | null): ErrorView | null {
  return error && { code: error.code, message: leftOut }
}
