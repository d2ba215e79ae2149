import type { Label, Lanes } from '../labels/index.ts'
import type { CallResult } from './call-ledger.ts'
import type { ChatChunk, Conversation } from './chat.ts'
import type { Candidate } from './plan.ts'

/** One attempt at one model, as it begins. */
export interface ObservedCall {
  readonly id: string
  /** Null: a client asks. */
  readonly run: string | null
  readonly job: string | null
  readonly client?: string | undefined
  readonly task: string
  readonly candidate: Candidate
  readonly label: Label
  readonly lanes: Lanes
  /** Of embeddings: each text as a message. */
  readonly conversation: Conversation
  /** Left out: chat. */
  readonly operation?: 'embeddings' | 'count_tokens'
}

/** Who watches model calls, for metrics and traces. Must neither wait nor throw. */
export interface CallObserver {
  begin(call: ObservedCall): CallObservation
}

export interface CallObservation {
  chunk(chunk: ChatChunk): void
  end(result: CallResult): void
}

/** Several observers as one. */
export function observers(each: readonly CallObserver[]): CallObserver {
  return {
    begin(call) {
      const begun = each.map((observer) => observer.begin(call))
      return {
        chunk: (chunk) => begun.forEach((observation) => observation.chunk(chunk)),
        end: (result) => begun.forEach((observation) => observation.end(result)),
      }
    },
  }
}
