import { Fault, toFault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { Label } from '../labels/index.ts'
import type { Money } from './budget/money.ts'
import type { CallLedger, CallResult } from './call-ledger.ts'
import type { ChatChunk, Conversation, NativeRequest } from './chat.ts'
import { promptBytes, tokensOf } from './estimate.ts'
import type { CallObserver } from './observe.ts'
import { describeFailures, type Failure } from './fallback.ts'
import { openPaidCall } from './paid-call.ts'
import type { Candidate } from './plan.ts'
import type { Usage } from './prices/price.ts'
import type { Passage } from './route/walk.ts'
import type { Session } from './session.ts'
import type { Upstream } from './upstream.ts'

interface AttemptRequest {
  readonly session: Session
  readonly label: Label
  readonly task: string
  readonly candidate: Candidate
  readonly upstream: Upstream
  readonly conversation: Conversation
  readonly native?: NativeRequest | undefined
  readonly signal: AbortSignal
  readonly passage: Passage
  /** What was tried before, for the record. */
  readonly failures: readonly Failure[]
}

class Moved extends Error {}

/** The session is not what the plan was made for. */
export function isMoved(error: unknown): boolean {
  return error instanceof Moved
}

/** One call of one model: its row is opened before the request and closed soon after the answer has ended, in whatever way it ends. */
export async function* createAttempt({ ledger, log, money, observer }: { ledger: CallLedger; log: Logger; money: Money; observer?: CallObserver | undefined }, attempt: AttemptRequest): AsyncGenerator<ChatChunk, void, void> {
  const { session, label, task, candidate, upstream, conversation, native, signal, passage, failures } = attempt
  const bytes = promptBytes(conversation)
  const estimate = tokensOf(bytes)
  const call = await openPaidCall({ ledger, money, log }, { session, label, task, candidate, inputTokens: estimate, promptBytes: bytes, maxTokens: conversation.maxTokens, passage })
  if (call === 'moved') throw new Moved()

  const observed = observer?.begin({ id: call.id, run: session.run, job: session.job, client: session.client?.name, task, candidate, label, lanes: session.lanes, conversation })
  let outputBytes = 0
  let usage: Usage | undefined
  let result: Pick<CallResult, 'state' | 'reason'> = { state: 'abandoned', reason: 'client_gone' }
  let reached = true
  let hasBegun = false
  let failedWith: unknown
  try {
    for await (const chunk of upstream.chat({ ...conversation, ...limitOf(call.hold.maxTokens, candidate.model), model: candidate.model, native: call.hold.maxTokens === undefined ? native : undefined }, signal)) {
      if (chunk.kind === 'usage') usage = chunk
      outputBytes += bytesOf(chunk)
      if (!hasBegun) {
        hasBegun = true
        passage.begun()
      }
      observed?.chunk(chunk)
      yield chunk
    }
    if (!usage) {
      const estimated = { inputTokens: estimate, outputTokens: tokensOf(outputBytes) }
      usage = estimated
      yield { kind: 'usage', ...estimated }
    }
    const before = describeFailures(failures)
    result = { state: 'succeeded', reason: before === '' ? undefined : `after ${before}` }
  } catch (error) {
    const { kind, code } = toFault(error)
    result = signal.aborted ? { state: 'abandoned', reason: signal.reason instanceof Fault ? signal.reason.code : 'client_gone' } : { state: 'failed', reason: code }
    // what was not taken in costs nothing; a silent upstream may have read it all
    reached = outputBytes > 0 || signal.aborted || kind === 'timeout' || code === 'upstream.died'
    failedWith = error
    throw error
  } finally {
    const tokens = usage ?? { inputTokens: reached ? estimate : 0, outputTokens: tokensOf(outputBytes) }
    const closing = { ...result, ...tokens }
    observed?.end(closing)
    call.close(closing, failedWith)
  }
}

/** Newer models of OpenAI know a limit by its newer name only. */
function limitOf(maxTokens: number | undefined, model: string): Pick<Conversation, 'maxTokens' | 'maxTokensIsNewName'> {
  return maxTokens === undefined ? {} : { maxTokens, maxTokensIsNewName: /(?:^|\/)(?:gpt-[5-9]|o\d)/.test(model) }
}

function bytesOf(chunk: ChatChunk): number {
  switch (chunk.kind) {
    case 'text':
    case 'thinking':
      return Buffer.byteLength(chunk.text)
    case 'tool_call':
      return Buffer.byteLength(chunk.arguments) + Buffer.byteLength(chunk.name ?? '')
    default:
      return 0
  }
}
