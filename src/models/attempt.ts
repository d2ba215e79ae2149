import { Fault, toFault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { Label } from '../labels/index.ts'
import type { CallLedger, CallResult } from './call-ledger.ts'
import type { ChatChunk, Conversation, NativeRequest } from './chat.ts'
import { promptBytes, tokensOf } from './estimate.ts'
import type { CallObserver } from './observe.ts'
import type { Candidate } from './plan.ts'
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
  /** What was tried before, for the record. */
  readonly failures: readonly { readonly candidate: Candidate; readonly fault: Fault }[]
}

class Moved extends Error {}

/** The session is not what the plan was made for. */
export function isMoved(error: unknown): boolean {
  return error instanceof Moved
}

/** One call of one model: its row is opened before the request and closed when the answer has ended, in whatever way it ends. */
export async function* createAttempt({ ledger, log, observer }: { ledger: CallLedger; log: Logger; observer?: CallObserver | undefined }, attempt: AttemptRequest): AsyncGenerator<ChatChunk, void, void> {
  const { session, label, task, candidate, upstream, conversation, native, signal, failures } = attempt
  const estimate = tokensOf(promptBytes(conversation))
  const opened = await ledger.open({ session, label, task, candidate, inputTokens: estimate, outputTokens: conversation.maxTokens })
  if (opened.outcome === 'moved') throw new Moved()

  const observed = observer?.begin({ id: opened.id, run: session.run, job: session.job, client: session.client?.name, task, candidate, label, lanes: session.lanes, conversation })
  let outputBytes = 0
  let usage: { inputTokens: number; outputTokens: number } | undefined
  let result: Pick<CallResult, 'state' | 'reason'> = { state: 'abandoned', reason: 'client_gone' }
  let reached = true
  try {
    for await (const chunk of upstream.chat({ ...conversation, model: candidate.model, native }, signal)) {
      if (chunk.kind === 'usage') usage = chunk
      outputBytes += bytesOf(chunk)
      observed?.chunk(chunk)
      yield chunk
    }
    if (!usage) {
      usage = { inputTokens: estimate, outputTokens: tokensOf(outputBytes) }
      yield { kind: 'usage', ...usage }
    }
    const before = failures.map(({ candidate: tried, fault }) => `${tried.upstream}: ${fault.code}`).join(', ')
    result = { state: 'succeeded', reason: before === '' ? undefined : `after ${before}` }
  } catch (error) {
    const { kind, code } = toFault(error)
    result = signal.aborted ? { state: 'abandoned', reason: signal.reason instanceof Fault ? signal.reason.code : 'client_gone' } : { state: 'failed', reason: code }
    // what was not taken in costs nothing; a silent upstream may have read it all
    reached = outputBytes > 0 || signal.aborted || kind === 'timeout' || code === 'upstream.died'
    throw error
  } finally {
    const tokens = usage ?? { inputTokens: reached ? estimate : 0, outputTokens: tokensOf(outputBytes) }
    const closing = { ...result, inputTokens: tokens.inputTokens, outputTokens: tokens.outputTokens }
    observed?.end(closing)
    await ledger.close(opened.id, closing).then(
      (closed) => {
        if (!closed) log.warn({ call: opened.id }, 'a model call had been closed by somebody else')
      },
      // the row stays open and is closed by the sweep of the next start
      (error: unknown) => log.error({ call: opened.id, err: error }, 'a model call could not be closed in the ledger'),
    )
  }
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
