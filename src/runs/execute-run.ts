import { deadline } from '../kernel/deadline.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { toFault } from '../kernel/fault.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StepDefinition } from '../house/index.ts'
import { isTrue, resolveInput } from '../house/index.ts'
import type { Label } from '../labels/index.ts'
import { Park } from '../tools/index.ts'
import type { AdvanceOutcome, Claim, LogLine, NextStep, StepResult } from './run-store.ts'
import { stepScope } from './step-scope.ts'

/** One call of a tool on behalf of a step. */
export interface StepCall {
  readonly claim: Claim
  readonly step: StepDefinition
  readonly attempt: number
  readonly input: unknown
  /** The label of the run so far; what the tool reads is joined to it. */
  readonly label: Label
  readonly signal: AbortSignal
  readonly log: (level: LogLine['level'], message: string, fields?: Record<string, unknown>) => void
}

export interface StepOutput {
  readonly output: unknown
  readonly label: Label
  readonly madeWithoutModel: boolean
}

export interface ExecuteDeps {
  readonly clock: Clock
  /** Calls the tool; throws `Park` when the run has to wait for a decision. */
  callStep(call: StepCall): Promise<StepOutput>
  /** Stores the result in one transaction, together with what the queue must know. */
  settle(claim: Claim, result: StepResult, log: readonly LogLine[]): Promise<AdvanceOutcome>
}

/** Executes the steps of a claimed run, one after the other, until it ends, waits, or is taken from this executor. */
export async function executeRun(deps: ExecuteDeps, claim: Claim, signal: AbortSignal): Promise<AdvanceOutcome> {
  const scope = stepScope(claim, deps.clock.now())
  const limit = deadline(signal, claim.definition.timeoutMs)
  let label = claim.label
  let next: NextStep = claim.next
  try {
    for (;;) {
      const log: LogLine[] = []
      const result = await performStep(deps, claim, next, scope, label, limit.signal, log)
      faultPoint('step.done')
      const outcome = await deps.settle(claim, result, log)
      if (outcome.outcome !== 'next') return outcome
      scope.steps[result.step] = { output: result.output, state: result.state }
      label = result.label
      next = outcome.next
    }
  } finally {
    limit.end()
  }
}

async function performStep(
  deps: ExecuteDeps,
  claim: Claim,
  next: NextStep,
  scope: ReturnType<typeof stepScope>,
  label: Label,
  signal: AbortSignal,
  log: LogLine[],
): Promise<StepResult> {
  const step = claim.definition.steps.find((candidate) => candidate.id === next.id)!
  const seen = { label }
  const limit = deadline(signal, step.timeoutMs)
  try {
    if (step.if !== undefined && !isTrue(step.if, scope)) return { step: step.id, state: 'skipped', label }
    const { output, label: raised, madeWithoutModel } = await deps.callStep({
      claim,
      step,
      attempt: next.attempt,
      input: resolveInput(step.with, scope),
      label,
      signal: limit.signal,
      log: (level, message, fields) => {
        log.push({ at: deps.clock.now().toISOString(), level, message, ...(fields && { fields }) })
      },
    })
    seen.label = raised
    return { step: step.id, state: 'succeeded', output: output ?? null, label: raised, without_model: madeWithoutModel }
  } catch (error) {
    if (error instanceof Park) return { step: step.id, state: 'parked', label: error.label ?? seen.label }
    return failed(step.id, error, seen.label, log, deps.clock)
  } finally {
    limit.end()
  }
}

function failed(step: string, error: unknown, label: Label, log: LogLine[], clock: Clock): StepResult {
  const fault = toFault(error)
  const carried = (error as { label?: Label }).label
  log.push({ at: clock.now().toISOString(), level: 'error', message: fault.message, fields: { code: fault.code } })
  return {
    step,
    state: 'failed',
    label: carried ?? label,
    error: { code: fault.code, message: fault.message, details: fault.details },
    retry: !['invalid', 'refused', 'missing'].includes(fault.kind),
  }
}
