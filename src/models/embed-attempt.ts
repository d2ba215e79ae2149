import { Fault, toFault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { Label } from '../labels/index.ts'
import type { Money } from './budget/money.ts'
import type { CallLedger, CallResult } from './call-ledger.ts'
import type { DeclaredModels } from './declared-models.ts'
import type { Embeddings, EmbedRequest } from './embedding.ts'
import { promptBytes, tokensOf } from './estimate.ts'
import { combineFaults, mayFallBack } from './fallback.ts'
import type { CallObserver } from './observe.ts'
import { openPaidCall } from './paid-call.ts'
import type { Candidate } from './plan.ts'
import type { Session } from './session.ts'

interface EmbedAttempts extends Omit<EmbedRequest, 'model'> {
  readonly session: Session
  readonly label: Label
  readonly task: string
  /** All of them the same model, so that whoever answers answers in the same space. */
  readonly candidates: readonly Candidate[]
  readonly signal: AbortSignal
}

/** The vectors, who made them, and what was counted. */
export interface EmbedAnswer extends Embeddings {
  readonly upstream: string
  readonly model: string
  readonly inputTokens: number
}

interface EmbedDeps {
  readonly ledger: CallLedger
  readonly money: Money
  readonly log: Logger
  readonly observer?: CallObserver | undefined
  readonly models: () => DeclaredModels
}

/** Asks one upstream after the other, each with a row of its own, until one has made vectors of all texts. `moved`: plan again. */
export async function embedInOrder(deps: EmbedDeps, request: EmbedAttempts): Promise<EmbedAnswer | 'moved'> {
  const failures: { candidate: Candidate; fault: Fault }[] = []
  for (const candidate of request.candidates) {
    request.signal.throwIfAborted()
    try {
      return await attempt(deps, request, candidate, failures.map(({ candidate: tried, fault }) => `${tried.upstream}: ${fault.code}`).join(', '))
    } catch (error) {
      if (request.signal.aborted || !mayFallBack(error)) throw error
      failures.push({ candidate, fault: error })
    }
  }
  throw combineFaults(failures)
}

async function attempt(deps: EmbedDeps, request: EmbedAttempts, candidate: Candidate, before: string): Promise<EmbedAnswer | 'moved'> {
  const { observer, models } = deps
  const { session, label, task, input, dimensions, signal } = request
  const upstream = models().catalog.get(candidate.upstream)
  if (!upstream?.embed) throw new Fault('missing', 'upstream.model', `upstream ${candidate.upstream} makes no embeddings on the wire that it is declared with`, { upstream: candidate.upstream })
  const conversation = { messages: input.map((content) => ({ role: 'user' as const, content })) }
  const bytes = promptBytes(conversation)
  const estimate = tokensOf(bytes)
  const call = await openPaidCall(deps, { session, label, task, candidate, inputTokens: estimate, promptBytes: bytes, maxTokens: 0 })
  if (call === 'moved') return 'moved'
  const observed = observer?.begin({ id: call.id, run: session.run, job: session.job, client: session.client?.name, task, candidate, label, lanes: session.lanes, conversation, operation: 'embeddings' })
  let result: CallResult = { state: 'abandoned', reason: 'client_gone', inputTokens: estimate, outputTokens: 0 }
  try {
    const { vectors, inputTokens = estimate } = await upstream.embed({ model: candidate.model, input, dimensions }, signal)
    result = { state: 'succeeded', reason: before === '' ? undefined : `after ${before}`, inputTokens, outputTokens: 0 }
    return { upstream: candidate.upstream, model: candidate.model, vectors, inputTokens }
  } catch (error) {
    const { kind, code } = toFault(error)
    if (signal.aborted) result = { ...result, reason: signal.reason instanceof Fault ? signal.reason.code : 'client_gone' }
    // what was not taken in costs nothing; what answered wrongly, or died or fell silent over it, has read it
    else result = { state: 'failed', reason: code, inputTokens: kind === 'timeout' || code === 'upstream.malformed' || code === 'request.unsupported' ? estimate : 0, outputTokens: 0 }
    throw error
  } finally {
    observed?.end(result)
    await call.close(result)
  }
}
