import { randomUUID } from 'node:crypto'
import { Fault } from '../kernel/fault.ts'
import type { ChatChunk, FinishReason } from './chat.ts'
import { checkChunks } from './check-chunks.ts'
import { tokens } from './openai-events.ts'
import type { EventReader } from './pass.ts'
import { parseJson } from './transport.ts'

interface Item {
  readonly type?: string
  readonly call_id?: string
  readonly name?: string
  readonly arguments?: string
  /** Of a tool that takes free text. */
  readonly input?: string
  readonly content?: readonly { readonly text?: string; readonly refusal?: string }[] | null
  readonly summary?: readonly { readonly text?: string }[] | null
}

interface Failure {
  readonly code?: string | null
  readonly message?: string | null
}

interface Usage {
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly input_tokens_details?: { readonly cached_tokens?: number; readonly cache_write_tokens?: number } | null
  readonly output_tokens_details?: { readonly reasoning_tokens?: number } | null
}

interface Response {
  readonly status?: string
  readonly error?: Failure | null
  readonly incomplete_details?: { readonly reason?: string } | null
  readonly output?: readonly Item[] | null
  readonly usage?: Usage | null
}

interface Event extends Failure {
  readonly type?: string
  readonly output_index?: number
  readonly content_index?: number
  readonly summary_index?: number
  readonly delta?: string
  readonly text?: string
  readonly refusal?: string
  readonly arguments?: string
  readonly input?: string
  readonly item?: Item
  readonly response?: Response
  readonly error?: Failure | null
}

/** What was understood of one item of the output. */
interface Heard {
  call?: number
  /** How many characters, by part; of a call its arguments are part 0. */
  readonly parts: Map<number, number>
}

/**
 * Understands the events of responses, and a whole response as if it were the last event. Some servers send no deltas but only what is
 * done, so each event that says something whole is compared with what was heard before, and the rest of it counts.
 */
export function responsesEvents(upstream: string, { isPassed = false } = {}): EventReader {
  const items = new Map<number, Heard>()
  let calls = 0
  let hasFinished = false
  let told: Fault | undefined

  const heardOf = (index: number): Heard => {
    const known = items.get(index) ?? { parts: new Map<number, number>() }
    items.set(index, known)
    return known
  }

  function* hear(kind: 'text' | 'thinking', index: number, part: number, text: string | undefined, isWhole: boolean): Generator<ChatChunk> {
    const heard = heardOf(index)
    const before = heard.parts.get(part) ?? 0
    const rest = isWhole ? (text ?? '').slice(before) : (text ?? '')
    if (rest === '') return
    if (kind === 'thinking' && part > 0 && before === 0) yield { kind, text: '\n\n' }
    heard.parts.set(part, before + rest.length)
    yield { kind, text: rest }
  }

  function* hearCall(index: number, item: Pick<Item, 'call_id' | 'name' | 'arguments' | 'input'>, isWhole: boolean): Generator<ChatChunk> {
    const heard = heardOf(index)
    const isNew = heard.call === undefined
    const call = (heard.call ??= calls++)
    const before = heard.parts.get(0) ?? 0
    const said = item.arguments ?? item.input ?? ''
    const rest = isWhole ? said.slice(before) : said
    heard.parts.set(0, before + rest.length)
    if (isNew) yield { kind: 'tool_call', index: call, id: item.call_id || `call_${randomUUID()}`, ...(item.name ? { name: item.name } : {}), arguments: rest }
    else if (rest !== '') yield { kind: 'tool_call', index: call, arguments: rest }
  }

  function* hearItem(index: number, item: Item | undefined): Generator<ChatChunk> {
    if (item?.type === 'function_call' || item?.type === 'custom_tool_call') yield* hearCall(index, item, true)
    else if (item?.type === 'message') for (const [part, { text, refusal }] of (item.content ?? []).entries()) yield* hear('text', index, part, text ?? refusal, true)
    else if (item?.type === 'reasoning') {
      const thought = item.summary?.length ? item.summary : (item.content ?? [])
      for (const [part, { text }] of thought.entries()) yield* hear('thinking', index, part, text, true)
    }
  }

  function* hearEnd(response: Response): Generator<ChatChunk> {
    // what was heard bit by bit may be counted in another way here
    if (items.size === 0) for (const [index, item] of (response.output ?? []).entries()) yield* hearItem(index, item)
    hasFinished = true
    yield { kind: 'finish', reason: finishOf(response, calls > 0) }
    if (response.usage) yield usageOf(response.usage)
  }

  function* understand(event: Event): Generator<ChatChunk> {
    const index = event.output_index ?? 0
    switch (event.type) {
      case 'response.output_item.added':
        if (event.item?.type?.endsWith('_call')) yield* hearItem(index, event.item)
        return
      case 'response.output_item.done':
        return yield* hearItem(index, event.item)
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        return yield* hear('text', index, event.content_index ?? 0, event.delta, false)
      case 'response.output_text.done':
      case 'response.refusal.done':
        return yield* hear('text', index, event.content_index ?? 0, event.text ?? event.refusal, true)
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return yield* hear('thinking', index, event.summary_index ?? event.content_index ?? 0, event.delta, false)
      case 'response.reasoning_summary_text.done':
      case 'response.reasoning_text.done':
        return yield* hear('thinking', index, event.summary_index ?? event.content_index ?? 0, event.text, true)
      case 'response.custom_tool_call_input.delta':
      case 'response.function_call_arguments.delta':
        return yield* hearCall(index, event.delta === undefined ? {} : { arguments: event.delta }, false)
      case 'response.custom_tool_call_input.done':
      case 'response.function_call_arguments.done':
        return yield* hearCall(index, event, true)
      case 'response.completed':
      case 'response.incomplete':
        return yield* hearEnd(event.response ?? {})
    }
  }

  return {
    read(data) {
      const parsed = (parseJson(upstream, data) ?? {}) as Event & Response
      // a whole response has a status where an event has a type
      const event: Event = parsed.type === undefined && parsed.status !== undefined ? { type: parsed.status === 'failed' ? 'response.failed' : 'response.completed', response: parsed } : parsed
      if (event.type === 'response.failed') throw failed(upstream, event.response?.error)
      // OpenAI says `error` first and `response.failed` after it, and there are clients that heed only the second
      if (event.type === 'error') told = failed(upstream, event.error ?? event)
      else if (event.error && event.type === undefined) throw failed(upstream, event.error)
      return { chunks: checkChunks(upstream, () => understand(event)) }
    },
    end() {
      if (told) throw isPassed ? new Fault(told.kind, told.code, told.message, { ...told.details, passed: true }) : told
      if (!hasFinished) throw new Fault('unavailable', 'upstream.died', `upstream ${upstream} ended its answer before it was done`, { upstream })
      return []
    },
    isOver: () => hasFinished,
  }
}

function failed(upstream: string, failure: Failure | null | undefined): Fault {
  const said = failure?.message ? `: ${String(failure.message).slice(0, 300)}` : ''
  const code = failure?.code === 'rate_limit_exceeded' ? 'upstream.limited' : 'upstream.failed'
  return new Fault('unavailable', code, `upstream ${upstream} failed${said}`, { upstream })
}

function finishOf({ status, incomplete_details: details }: Response, hasCalled: boolean): FinishReason {
  if (details?.reason === 'content_filter') return 'content_filter'
  if (status === 'incomplete') return 'length'
  return hasCalled ? 'tool_calls' : 'stop'
}

function usageOf({ input_tokens, output_tokens, input_tokens_details: input, output_tokens_details: output }: Usage): ChatChunk {
  return {
    kind: 'usage',
    inputTokens: tokens(input_tokens),
    outputTokens: tokens(output_tokens),
    ...(input?.cached_tokens == null ? {} : { cachedTokens: tokens(input.cached_tokens) }),
    ...(input?.cache_write_tokens == null ? {} : { cacheWriteTokens: tokens(input.cache_write_tokens) }),
    ...(output?.reasoning_tokens == null ? {} : { reasoningTokens: tokens(output.reasoning_tokens) }),
  }
}
