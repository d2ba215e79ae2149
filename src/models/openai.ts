import { randomUUID } from 'node:crypto'
import { Fault } from '../kernel/fault.ts'
import type { ChatChunk, ChatRequest } from './chat.ts'
import { finishReason, toOpenai } from './openai-wire.ts'
import { createTransport, parseJson } from './transport.ts'
import { defaultTimeouts, type Upstream, type UpstreamSettings } from './upstream.ts'

interface Event {
  readonly error?: { readonly message?: string } | string
  readonly choices?: readonly {
    readonly delta?: {
      readonly content?: string | null
      readonly reasoning_content?: string | null
      readonly reasoning?: string | null
      readonly tool_calls?: readonly { readonly index?: number; readonly id?: string; readonly function?: { readonly name?: string; readonly arguments?: string } }[] | null
    }
    readonly finish_reason?: string | null
  }[]
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null
}

/** Any server of OpenAI's chat completions; `url` ends where `/chat/completions` begins, usually in `/v1`. */
export function createOpenai(settings: UpstreamSettings, key?: string): Upstream {
  const { name } = settings
  const transport = createTransport({ name, url: settings.url, key, timeouts: { ...defaultTimeouts, ...settings.timeouts } })

  return {
    name,
    zone: settings.zone,
    listsAll: false,
    async models(signal) {
      const { data } = (await transport.getJson('/models', signal)) as { data?: readonly { id: string }[] }
      if (!Array.isArray(data)) throw new Fault('unavailable', 'upstream.malformed', `upstream ${name} does not speak OpenAI's wire: /models has no data`)
      return (data as readonly { id: string }[]).map(({ id }) => ({ name: id, zone: settings.zone, embedding: /embed/i.test(id) }))
    },
    async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
      const calls = new Set<number>()
      let finished: string | undefined
      let usage: Event['usage']
      for await (const line of transport.postLines('/chat/completions', toOpenai(request), signal)) {
        if (!line.startsWith('data:')) continue
        const data = line.slice('data:'.length).trim()
        if (data === '[DONE]') break
        const event = parseJson(name, data) as Event
        if (event.error) throw new Fault('unavailable', 'upstream.failed', `upstream ${name} failed${messageOf(event.error)}`, { upstream: name })
        usage = event.usage ?? usage
        const choice = event.choices?.[0]
        const thinking = choice?.delta?.reasoning_content ?? choice?.delta?.reasoning
        if (thinking) yield { kind: 'thinking', text: thinking }
        if (choice?.delta?.content) yield { kind: 'text', text: choice.delta.content }
        for (const call of choice?.delta?.tool_calls ?? []) {
          // some servers leave the index out and send each call whole
          const index = call.index ?? (call.id ? calls.size : Math.max(0, calls.size - 1))
          const id = calls.has(index) ? undefined : call.id || `call_${randomUUID()}`
          calls.add(index)
          yield { kind: 'tool_call', index, ...(id ? { id } : {}), ...(call.function?.name ? { name: call.function.name } : {}), arguments: call.function?.arguments ?? '' }
        }
        finished = choice?.finish_reason ?? finished
      }
      if (finished === undefined) throw new Fault('unavailable', 'upstream.died', `upstream ${name} ended its answer before it was done`, { upstream: name })
      yield { kind: 'finish', reason: finishReason(finished, calls.size > 0) }
      if (usage) yield { kind: 'usage', inputTokens: usage.prompt_tokens ?? 0, outputTokens: usage.completion_tokens ?? 0 }
    },
    close: () => transport.close(),
  }
}

function messageOf(error: NonNullable<Event['error']>): string {
  const message = typeof error === 'string' ? error : error.message
  return message ? `: ${message.slice(0, 300)}` : ''
}
