import { randomUUID } from 'node:crypto'
import { Fault } from '../kernel/fault.ts'
import type { ChatChunk } from './chat.ts'
import { checkChunks } from './check-chunks.ts'
import { finishReason } from './ollama-wire.ts'
import { tokens } from './openai-events.ts'
import type { EventReader } from './pass.ts'
import { parseJson } from './transport.ts'

interface Line {
  readonly error?: unknown
  readonly message?: {
    readonly content?: string
    readonly thinking?: string
    readonly tool_calls?: readonly { readonly id?: string; readonly function: { readonly name: string; readonly arguments?: unknown } }[] | null
  }
  /** Of /api/generate, where these stand in the line itself. */
  readonly response?: string
  readonly thinking?: string
  readonly done?: boolean
  readonly done_reason?: string
  readonly prompt_eval_count?: number
  readonly eval_count?: number
}

/** Understands the lines of /api/chat and /api/generate, and a whole answer as if it were one line. `promptTokens`: about how many were asked, for daemons that do not say. */
export function ollamaEvents(upstream: string, promptTokens: number): EventReader {
  let calls = 0
  let isOver = false

  function* understand({ message, done, ...line }: Line): Generator<ChatChunk> {
    const thinking = message?.thinking ?? line.thinking
    if (thinking) yield { kind: 'thinking', text: thinking }
    const text = message?.content ?? line.response
    if (text) yield { kind: 'text', text }
    for (const { id, function: called } of message?.tool_calls ?? []) {
      yield { kind: 'tool_call', index: calls, id: id || `call_${randomUUID()}`, name: called.name, arguments: JSON.stringify(called.arguments ?? {}) }
      calls += 1
    }
    if (!done) return
    isOver = true
    yield { kind: 'finish', reason: finishReason(line.done_reason, calls > 0) }
    if (line.eval_count !== undefined) yield { kind: 'usage', inputTokens: line.prompt_eval_count === undefined ? promptTokens : tokens(line.prompt_eval_count), outputTokens: tokens(line.eval_count) }
  }

  return {
    read(data) {
      const line = (parseJson(upstream, data) ?? {}) as Line
      if (line.error !== undefined) throw new Fault('unavailable', 'upstream.failed', `upstream ${upstream} failed: ${String(line.error).slice(0, 300)}`, { upstream })
      return { chunks: checkChunks(upstream, () => understand(line)) }
    },
    end() {
      if (!isOver) throw new Fault('unavailable', 'upstream.died', `upstream ${upstream} ended its answer before it was done`, { upstream })
      return []
    },
    isOver: () => isOver,
  }
}
