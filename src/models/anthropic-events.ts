import { Fault } from '../kernel/fault.ts'
import type { ChatChunk, FinishReason } from './chat.ts'
import { checkChunks } from './check-chunks.ts'
import { tokens } from './openai-events.ts'
import type { EventReader } from './pass.ts'
import { parseJson } from './transport.ts'

interface Block {
  readonly type?: string
  readonly id?: string
  readonly name?: string
  readonly text?: string
  readonly thinking?: string
  readonly signature?: string
  readonly input?: unknown
}

interface Usage {
  readonly input_tokens?: number | null
  readonly output_tokens?: number | null
  readonly cache_read_input_tokens?: number | null
  readonly cache_creation_input_tokens?: number | null
}

interface Event {
  readonly type?: string
  readonly index?: number
  readonly message?: { readonly usage?: Usage }
  readonly content_block?: Block
  readonly delta?: { readonly type?: string; readonly text?: string; readonly thinking?: string; readonly signature?: string; readonly partial_json?: string; readonly stop_reason?: string | null }
  readonly usage?: Usage
  readonly error?: { readonly type?: string; readonly message?: string }
  // of a whole message
  readonly content?: readonly Block[]
  readonly stop_reason?: string | null
}

const reasons: Readonly<Record<string, FinishReason>> = { max_tokens: 'length', model_context_window_exceeded: 'length', tool_use: 'tool_calls', refusal: 'content_filter' }

/** Understands the events of messages, and a whole message as if it were all of them. */
export function anthropicEvents(upstream: string): EventReader {
  const calls = new Map<number, number>()
  let usage: Usage | undefined
  let stop: string | undefined
  let isOver = false

  function call(index: number): number {
    const known = calls.get(index)
    if (known !== undefined) return known
    calls.set(index, calls.size)
    return calls.size - 1
  }

  function begin(index: number, block: Block): ChatChunk[] {
    if (block.type === 'text') return block.text ? [{ kind: 'text', text: block.text }] : []
    if (block.type === 'thinking') return block.thinking || block.signature ? [{ kind: 'thinking', text: block.thinking ?? '', ...(block.signature && { signature: block.signature }) }] : []
    if (block.type !== 'tool_use') return []
    return [{ kind: 'tool_call', index: call(index), id: block.id ?? '', name: block.name ?? '', arguments: '' }]
  }

  function delta(index: number, { type, text, thinking, signature, partial_json: json }: NonNullable<Event['delta']>): ChatChunk[] {
    if (type === 'text_delta') return [{ kind: 'text', text: text ?? '' }]
    if (type === 'thinking_delta') return [{ kind: 'thinking', text: thinking ?? '' }]
    if (type === 'signature_delta') return [{ kind: 'thinking', text: '', signature: signature ?? '' }]
    return type === 'input_json_delta' && json ? [{ kind: 'tool_call', index: call(index), arguments: json }] : []
  }

  function whole({ content = [], usage: counted, stop_reason: reason }: Event): ChatChunk[] {
    usage = counted
    stop = reason ?? undefined
    isOver = true
    return content.flatMap((block, index) => {
      const begun = begin(index, block)
      return block.type === 'tool_use' ? [...begun, { kind: 'tool_call' as const, index: call(index), arguments: JSON.stringify(block.input ?? {}) }] : begun
    })
  }

  function understand(event: Event): ChatChunk[] {
    switch (event.type) {
      case 'message':
        return whole(event)
      case 'message_start':
        usage = { ...usage, ...event.message?.usage }
        return []
      case 'content_block_start':
        return begin(event.index ?? 0, event.content_block ?? {})
      case 'content_block_delta':
        return delta(event.index ?? 0, event.delta ?? {})
      case 'message_delta':
        // counted from the beginning, and only what changed is said again
        usage = { ...usage, ...Object.fromEntries(Object.entries(event.usage ?? {}).filter(([, count]) => count !== null)) }
        stop = event.delta?.stop_reason ?? stop
        return []
      case 'message_stop':
        isOver = true
        return []
      default:
        return []
    }
  }

  return {
    read(data) {
      const event = parseJson(upstream, data) as Event | null
      if (event?.type === 'error') throw failureOf(upstream, event.error)
      return { chunks: checkChunks(upstream, () => understand(event ?? {})) }
    },
    isOver: () => isOver,
    end() {
      if (stop === undefined) throw new Fault('unavailable', 'upstream.died', `upstream ${upstream} ended its answer before it was done`, { upstream })
      const { input_tokens: fresh, output_tokens: output } = usage ?? {}
      const [read, written] = [tokens(usage?.cache_read_input_tokens), tokens(usage?.cache_creation_input_tokens)]
      const finish: ChatChunk = { kind: 'finish', reason: reasons[stop] ?? 'stop' }
      if (fresh === undefined || output === undefined) return [finish]
      return [finish, { kind: 'usage', inputTokens: tokens(fresh) + read + written, outputTokens: tokens(output), ...(read > 0 && { cachedTokens: read }), ...(written > 0 && { cacheWriteTokens: written }) }]
    },
  }
}

function failureOf(upstream: string, error: Event['error']): Fault {
  const said = typeof error?.message === 'string' && error.message !== '' ? `: ${error.message.slice(0, 300)}` : ''
  return new Fault('unavailable', error?.type === 'rate_limit_error' ? 'upstream.limited' : 'upstream.failed', `upstream ${upstream} failed${said}`, { upstream })
}
