import { Fault, toFault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { Label } from '../labels/index.ts'
import { freeHold } from './budget/money.ts'
import type { CallLedger, CallResult } from './call-ledger.ts'
import type { Conversation, NativeRequest } from './chat.ts'
import type { CountedTokens } from './count-over.ts'
import type { CallObserver } from './observe.ts'
import { openPaidCall } from './paid-call.ts'
import type { Candidate } from './plan.ts'
import type { Passage } from './route/walk.ts'
import type { Session } from './session.ts'
import type { Upstream } from './upstream.ts'

export interface CountAnswer extends CountedTokens {
  readonly upstream: string
}

interface CountAttempt {
  readonly session: Session
  readonly label: Label
  readonly candidate: Candidate
  readonly upstream: Upstream
  readonly conversation: Conversation
  readonly native: NativeRequest | undefined
  readonly signal: AbortSignal
  readonly passage: Passage
}

interface CountDeps {
  readonly ledger: CallLedger
  readonly log: Logger
  readonly observer?: CallObserver | undefined
}

/** Its rows are told from those of calls by it; what was counted was not read by a model, so they have no tokens. */
const task = 'count_tokens'

/** Lets a model count. The request goes where the plan says, so nothing is counted where it could not be answered. `moved`: plan again. */
export async function countTokens({ ledger, log, observer }: CountDeps, attempt: CountAttempt): Promise<CountAnswer | 'moved'> {
  const { session, label, candidate, upstream: { countTokens: counter }, conversation, native, signal, passage } = attempt
  if (!native || counter?.wire !== native.wire) {
    passage.left(undefined)
    throw uncounted()
  }
  const free = { hold: async () => freeHold }
  const call = await openPaidCall({ ledger, log, money: free }, { session, label, task, candidate, inputTokens: 0, promptBytes: 0, maxTokens: 0, passage })
  if (call === 'moved') return 'moved'
  const observed = observer?.begin({ id: call.id, run: session.run, job: session.job, client: session.client?.name, task, candidate, label, lanes: session.lanes, conversation, operation: task })
  let result: CallResult = { state: 'abandoned', reason: 'client_gone', inputTokens: 0, outputTokens: 0 }
  let failedWith: unknown
  try {
    const counted = await counter.count(native, candidate.model, signal)
    result = { ...result, state: 'succeeded', reason: undefined }
    return { ...counted, upstream: candidate.upstream }
  } catch (error) {
    if (signal.aborted) result = { ...result, reason: signal.reason instanceof Fault ? signal.reason.code : 'client_gone' }
    else result = { ...result, state: 'failed', reason: toFault(error).code }
    failedWith = error
    throw error
  } finally {
    observed?.end(result)
    call.close(result, failedWith)
  }
}

/** No number is better than a wrong one: clients then reckon for themselves. */
export function uncounted(): Fault {
  return new Fault('missing', 'tokens.uncounted', 'the model that would be asked does not count tokens on this wire; reckon with four bytes a token, the answer says how many there were')
}
