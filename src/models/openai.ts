import type { NativeRequest } from './chat.ts'
import { chatOver } from './chat-over.ts'
import { toMistral, toMoonshot, type Dialect } from './openai-dialects.ts'
import { embedByOpenai } from './openai-embed.ts'
import { openaiEvents } from './openai-events.ts'
import { listOpenaiModels } from './openai-models.ts'
import { toOpenai } from './openai-wire.ts'
import { passedBody } from './pass.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import { defaultTimeouts, type Upstream, type UpstreamSettings } from './upstream.ts'

/** Those that change the answer and nothing else. */
const passedFields: ReadonlySet<string> = new Set([
  'messages', 'temperature', 'top_p', 'top_k', 'min_p', 'max_tokens', 'max_completion_tokens', 'stop', 'seed', 'random_seed', 'presence_penalty',
  'frequency_penalty', 'repetition_penalty', 'logit_bias', 'n', 'parallel_tool_calls', 'reasoning_effort', 'thinking', 'verbosity', 'tools', 'tool_choice',
  'response_format', 'chat_template_kwargs', 'safe_prompt',
])

interface OpenaiWay extends Pick<TransportOptions, 'socketPath' | 'headers'> {
  /** Of a provider that takes only what it knows: nothing is passed through to it. */
  readonly dialect?: Dialect
}

/** Mistral's own servers. */
export const createMistral = (settings: UpstreamSettings, key?: string): Upstream => createOpenai(settings, key, { dialect: toMistral })

/** Kimi, by Moonshot. */
export const createMoonshot = (settings: UpstreamSettings, key?: string): Upstream => createOpenai(settings, key, { dialect: toMoonshot })

/** Any server of OpenAI's chat completions; `url` ends where `/chat/completions` begins, usually in `/v1`. */
export function createOpenai(settings: UpstreamSettings, key?: string, { dialect, ...way }: OpenaiWay = {}): Upstream {
  const { name } = settings
  const transport = createTransport({ name, url: settings.url, key, timeouts: { ...defaultTimeouts, ...settings.timeouts }, ...way })

  const usageAsked = ({ body }: NativeRequest) => (body['stream_options'] as { readonly include_usage?: boolean } | null | undefined)?.include_usage === true

  return {
    name,
    zone: settings.zone,
    listsAll: false,
    models: (signal) => listOpenaiModels(name, settings.zone, transport, signal),
    chat: chatOver({
      upstream: name, wire: dialect ? undefined : 'openai-chat', path: () => '/chat/completions', transport,
      reader: (native) => openaiEvents(name, { hidesUsage: native !== undefined && !usageAsked(native) }),
      // the ledger always wants to know the usage
      passed: (native, model) => passedBody(native, passedFields, {
        model, stream: native.stream, stream_options: native.stream ? { ...(native.body['stream_options'] as object | null | undefined), include_usage: true } : undefined,
      }),
      translated: dialect ?? toOpenai,
    }),
    embed: (request, signal) => embedByOpenai(name, transport, request, signal),
    close: () => transport.close(),
  }
}
