import { randomUUID } from 'node:crypto'
import { Fault } from '../kernel/fault.ts'
import type { ChatChunk } from './chat.ts'
import { checkChunks } from './check-chunks.ts'
import { finishReason } from './openai-wire.ts'
import type { EventReader } from './pass.ts'
import { parseJson } from './transport.ts'

interface Said {
  /** Some of Mistral's models say parts: what they think, and what they say. */
  readonly content?: string | readonly Part[] | null
  readonly refusal?: string | null
  readonly reasoning_content?: string | null
  readonly reasoning?: string | null
  readonly tool_calls?: readonly { readonly index?: number; readonly id?: string; readonly function?: { readonly name?: string; readonly arguments?: string } }[] | null
}

interface Part {
  readonly type?: string
  readonly text?: string
  readonly thinking?: readonly { readonly text?: string }[]
}

interface Usage {
  readonly prompt_tokens?: number
  readonly completion_tokens?: number
  readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null
  readonly completion_tokens_details?: { readonly reasoning_tokens?: number } | null
}

interface Event {
  readonly error?: { readonly message?: string } | string
  readonly choices?: readonly { readonly delta?: Said; readonly message?: Said; readonly finish_reason?: string | null }[]
  readonly usage?: Usage | null
}

/** What the ledger can hold. */
const mostTokens = 2 ** 31 - 1

/** Understands the events of chat completions, and a whole answer as if it were one event. `hidesUsage`: the client did not ask for the event of usage. */
export function openaiEvents(upstream: string, { hidesUsage = false } = {}): EventReader {
  const calls = new Set<number>()
  let finished: string | undefined
  let usage: Usage | null | undefined
  let isOver = false

  function* understand({ choices }: Event): Generator<ChatChunk> {
    const choice = choices?.[0]
    const said = choice?.delta ?? choice?.message
    const parts = Array.isArray(said?.content) ? (said.content as readonly Part[]) : []
    const thinking = said?.reasoning_content ?? said?.reasoning ?? parts.flatMap((part) => part.thinking ?? []).map(({ text }) => text ?? '').join('')
    if (thinking) yield { kind: 'thinking', text: thinking }
    // a refusal is what the model says instead of an answer
    // what is no text either is told by the check of the chunks
    const text = (Array.isArray(said?.content) ? parts.map((part) => part.text ?? '').join('') : (said?.content as string | null | undefined)) || said?.refusal
    if (text) yield { kind: 'text', text }
    for (const call of said?.tool_calls ?? []) {
      // some servers leave the index out and send each call whole
      const index = call.index ?? (call.id ? calls.size : Math.max(0, calls.size - 1))
      const id = calls.has(index) ? undefined : call.id || `call_${randomUUID()}`
      calls.add(index)
      yield { kind: 'tool_call', index, ...(id ? { id } : {}), ...(call.function?.name ? { name: call.function.name } : {}), arguments: call.function?.arguments ?? '' }
    }
    finished = choice?.finish_reason ?? (choice?.message ? 'stop' : finished)
  }

  return {
    read(data) {
      if (data === '[DONE]') {
        isOver = true
        return { chunks: [] }
      }
      const event = (parseJson(upstream, data) ?? {}) as Event
      if (event.error) throw new Fault('unavailable', 'upstream.failed', `upstream ${upstream} failed${messageOf(event.error)}`, { upstream })
      usage = event.usage ?? usage
      return { chunks: checkChunks(upstream, () => understand(event)), hidden: hidesUsage && event.usage != null && event.choices?.length === 0 }
    },
    end() {
      if (finished === undefined) throw new Fault('unavailable', 'upstream.died', `upstream ${upstream} ended its answer before it was done`, { upstream })
      return [{ kind: 'finish', reason: finishReason(finished, calls.size > 0) }, ...(usage ? [usageOf(usage)] : [])]
    },
    isOver: () => isOver,
  }
}

function usageOf(usage: Usage): ChatChunk {
  const cachedTokens = usage.prompt_tokens_details?.cached_tokens
  const reasoningTokens = usage.completion_tokens_details?.reasoning_tokens
  return {
    kind: 'usage',
    inputTokens: tokens(usage.prompt_tokens),
    outputTokens: tokens(usage.completion_tokens),
    ...(cachedTokens == null ? {} : { cachedTokens: tokens(cachedTokens) }),
    ...(reasoningTokens == null ? {} : { reasoningTokens: tokens(reasoningTokens) }),
  }
}

/** A count as the ledger can hold it, whatever a server says. */
export function tokens(count: unknown): number {
  return typeof count === 'number' && count > 0 ? Math.min(Math.trunc(count), mostTokens) : 0
}

function messageOf(error: NonNullable<Event['error']>): string {
  const message = typeof error === 'string' ? error : error.message
  return message ? `: ${message.slice(0, 300)}` : ''
}
