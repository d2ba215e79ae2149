import { Fault, toFault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { Label } from '../labels/index.ts'
import type { Money } from './budget/money.ts'
import type { CallLedger, CallResult } from './call-ledger.ts'
import type { Embeddings, EmbedRequest } from './embedding.ts'
import { promptBytes, tokensOf } from './estimate.ts'
import { describeFailures, type Failure } from './fallback.ts'
import type { CallObserver } from './observe.ts'
import { openPaidCall } from './paid-call.ts'
import type { Candidate } from './plan.ts'
import type { Passage } from './route/walk.ts'
import type { Session } from './session.ts'
import type { Upstream } from './upstream.ts'

interface EmbedAttempt extends Omit<EmbedRequest, 'model'> {
  readonly session: Session
  readonly label: Label
  readonly task: string
  readonly candidate: Candidate
  readonly upstream: Upstream
  readonly signal: AbortSignal
  readonly passage: Passage
  /** What was tried before, for the record. */
  readonly failures: readonly Failure[]
}

/** The vectors, who made them, and what was counted. */
export interface EmbedAnswer extends Embeddings {
  readonly upstream: string
  readonly model: string
  readonly inputTokens: number
  readonly tried: readonly Failure[]
}

interface EmbedDeps {
  readonly ledger: CallLedger
  readonly money: Money
  readonly log: Logger
  readonly observer?: CallObserver | undefined
}

/** Asks one model for the vectors of all texts, with a row of its own. `moved`: plan again. */
export async function embedAttempt(deps: EmbedDeps, attempt: EmbedAttempt): Promise<EmbedAnswer | 'moved'> {
  const { session, label, task, candidate, upstream, input, dimensions, signal, passage, failures } = attempt
  if (!upstream.embed) {
    passage.left(undefined)
    throw new Fault('missing', 'upstream.model', `upstream ${candidate.upstream} makes no embeddings on the wire that it is declared with`, { upstream: candidate.upstream })
  }
  const conversation = conversationOf(input)
  const bytes = promptBytes(conversation)
  const estimate = tokensOf(bytes)
  const call = await openPaidCall(deps, { session, label, task, candidate, inputTokens: estimate, promptBytes: bytes, maxTokens: 0, passage })
  if (call === 'moved') return 'moved'
  const observed = deps.observer?.begin({ id: call.id, run: session.run, job: session.job, client: session.client?.name, task, candidate, label, lanes: session.lanes, conversation, operation: 'embeddings' })
  let result: CallResult = { state: 'abandoned', reason: 'client_gone', inputTokens: estimate, outputTokens: 0 }
  let failedWith: unknown
  try {
    const { vectors, inputTokens = estimate } = await upstream.embed({ model: candidate.model, input, dimensions }, signal)
    const before = describeFailures(failures)
    result = { state: 'succeeded', reason: before === '' ? undefined : `after ${before}`, inputTokens, outputTokens: 0 }
    return { upstream: candidate.upstream, model: candidate.model, vectors, inputTokens, tried: failures }
  } catch (error) {
    const { kind, code } = toFault(error)
    if (signal.aborted) result = { ...result, reason: signal.reason instanceof Fault ? signal.reason.code : 'client_gone' }
    // what was not taken in costs nothing; what answered wrongly, or died or fell silent over it, has read it
    else result = { state: 'failed', reason: code, inputTokens: kind === 'timeout' || code === 'upstream.malformed' || code === 'request.unsupported' ? estimate : 0, outputTokens: 0 }
    failedWith = error
    throw error
  } finally {
    observed?.end(result)
    call.close(result, failedWith)
  }
}

/** Each text as a message. */
export function conversationOf(input: readonly string[]) {
  return { messages: input.map((content) => ({ role: 'user' as const, content })) }
}
