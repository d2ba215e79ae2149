import type { Label } from '../labels/index.ts'
import type { Answer } from './calls.ts'
import type { CallLedger, CallResult } from './call-ledger.ts'
import type { ChatChunk, Conversation } from './chat.ts'
import type { CallObserver } from './observe.ts'
import type { Candidate } from './plan.ts'
import type { Session } from './session.ts'

interface CachedAttempt {
  readonly session: Session
  readonly label: Label
  readonly task: string
  readonly conversation: Conversation
  /** Who gave the answer when it was given first. */
  readonly candidate: Candidate
  readonly chunks: readonly ChatChunk[]
}

const nothing: CallResult = { state: 'succeeded', reason: 'from_cache', inputTokens: 0, outputTokens: 0, cost: { nanoUsd: 0, nanoEur: 0 } }

/** Gives an answer again, with a row that says so: the database checks this session for it as for any call. `moved`: plan again. */
export async function answerFromCache({ ledger, observer }: { ledger: CallLedger; observer?: CallObserver | undefined }, attempt: CachedAttempt): Promise<Answer | 'moved'> {
  const { session, label, task, conversation, candidate, chunks } = attempt
  const opened = await ledger.open({ session, label, task, candidate, inputTokens: 0, outputTokens: 0, reserved: nothing.cost })
  if (opened.outcome === 'moved') return 'moved'
  observer?.begin({ id: opened.id, run: session.run, job: session.job, client: session.client?.name, task, candidate, label, lanes: session.lanes, conversation }).end(nothing)
  // one that fails leaves the row to the sweep, and costs nothing
  ledger.close(opened.id, nothing).catch(() => {})
  return { upstream: candidate.upstream, model: candidate.model, native: chunks[0]?.kind === 'native', isCached: true, tried: [], chunks: again(chunks) }
}

async function* again(chunks: readonly ChatChunk[]): AsyncGenerator<ChatChunk, void, void> {
  yield* chunks
}
