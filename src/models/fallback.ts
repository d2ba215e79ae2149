import { Fault, type FaultKind } from '../kernel/fault.ts'
import { isAboutMoney } from './budget/budget-faults.ts'
import type { Candidate } from './plan.ts'

/** A candidate that was asked, or could not be, and why it did not answer. */
export interface Failure {
  readonly candidate: Candidate
  readonly fault: Fault
}

/** No attempt was made, so nothing else is in the ledger of it. */
export function isRefusal({ code }: Fault): boolean {
  return isAboutMoney({ code }) || ['limit_reached', 'upstream.resting', 'text_blocked', 'text_local'].includes(code)
}

/** What was tried before, as a ledger row tells it. */
export function describeFailures(failures: readonly Failure[]): string {
  return failures.map(({ candidate, fault }) => `${candidate.upstream}: ${fault.code}`).join(', ')
}

/** What may not be handed on may not be handed on to the next one either. */
const notForTheCloud: readonly string[] = ['redaction_blocked', 'redaction_local', 'text_blocked', 'text_local']

/** The next candidate may do better; a request that is wrong is wrong everywhere, and a defect of ours is nobody's turn. */
const worthAnother: readonly FaultKind[] = ['unavailable', 'timeout', 'missing', 'refused']

export function mayFallBack(error: unknown): error is Fault {
  return error instanceof Fault && worthAnother.includes(error.kind) && !notForTheCloud.includes(error.code)
}

/** What to say when no candidate answered: the one failure, or all of them. */
export function combineFaults(failures: readonly Failure[]): Fault {
  const [first] = failures
  if (!first) return new Fault('unavailable', 'upstream.gone', 'the upstreams of this call were just taken out of castellan.yaml; try again')
  if (failures.every(({ fault }) => fault.message === first.fault.message)) return failures.at(-1)!.fault
  const faults = failures.map(({ fault }) => fault)
  const said = failures.map(({ candidate, fault }) => `${candidate.upstream}/${candidate.model}: ${fault.message}`).join('; ')
  if (faults.every(({ code }) => code === 'upstream.limited' || code === 'limit_reached')) {
    const waits = faults.map((fault) => fault.details['retryAfter']).filter((wait) => typeof wait === 'number')
    return new Fault('unavailable', 'upstream.limited', said, waits.length === 0 ? {} : { retryAfter: Math.min(...waits) })
  }
  if (faults.every(isAboutMoney)) return new Fault('refused', faults.at(-1)!.code, said, { tried: failures.map(({ candidate, fault }) => ({ ...candidate, code: fault.code })) })
  const kind = faults.every((fault) => fault.kind === 'missing') ? 'missing' : 'unavailable'
  return new Fault(kind, 'upstream.all_failed', said, { tried: failures.map(({ candidate, fault }) => ({ ...candidate, code: fault.code })) })
}
