import type { Clock } from '../../kernel/clock.ts'
import type { ChatChunk, FinishReason } from '../../models/index.ts'

export interface Ending {
  take(chunk: ChatChunk): void
  /** What the last line says beyond the others. */
  fields(): object
}

const doneReasons: Readonly<Record<FinishReason, string>> = { stop: 'stop', length: 'length', tool_calls: 'stop', content_filter: 'content_filter' }
const nanoseconds = 1_000_000

/** Why an answer ended, its tokens, and the time it took from here: until it began, and from then on. */
export function createEnding(clock: Clock, started: Date): Ending {
  let began: Date | undefined
  let reason: FinishReason = 'stop'
  let usage: Extract<ChatChunk, { kind: 'usage' }> | undefined
  return {
    take(chunk) {
      began ??= clock.now()
      if (chunk.kind === 'finish') reason = chunk.reason
      if (chunk.kind === 'usage') usage = chunk
    },
    fields() {
      const ended = clock.now()
      const between = (from: Date, to: Date) => Math.max(0, to.getTime() - from.getTime()) * nanoseconds
      return {
        done: true,
        done_reason: doneReasons[reason],
        total_duration: between(started, ended),
        ...(usage && { prompt_eval_count: usage.inputTokens, prompt_eval_duration: between(started, began ?? ended), eval_count: usage.outputTokens, eval_duration: between(began ?? ended, ended) }),
      }
    },
  }
}
