import type { ChatChunk, ChatRequest, NativeRequest } from './chat.ts'
import { embedByOpenai } from './openai-embed.ts'
import { openaiEvents } from './openai-events.ts'
import { listOpenaiModels } from './openai-models.ts'
import { toOpenai } from './openai-wire.ts'
import { passedBody, passEvents } from './pass.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import { defaultTimeouts, type Upstream, type UpstreamSettings } from './upstream.ts'

const path = '/chat/completions'

/** Those that change the answer and nothing else. */
const passedFields: ReadonlySet<string> = new Set([
  'messages', 'temperature', 'top_p', 'top_k', 'min_p', 'max_tokens', 'max_completion_tokens', 'stop', 'seed', 'random_seed', 'presence_penalty',
  'frequency_penalty', 'repetition_penalty', 'logit_bias', 'n', 'parallel_tool_calls', 'reasoning_effort', 'thinking', 'verbosity', 'tools', 'tool_choice',
  'response_format', 'chat_template_kwargs', 'safe_prompt',
])

/** Any server of OpenAI's chat completions; `url` ends where `/chat/completions` begins, usually in `/v1`. */
export function createOpenai(settings: UpstreamSettings, key?: string, way: Pick<TransportOptions, 'socketPath' | 'headers'> = {}): Upstream {
  const { name } = settings
  const transport = createTransport({ name, url: settings.url, key, timeouts: { ...defaultTimeouts, ...settings.timeouts }, ...way })

  function passStream(native: NativeRequest, model: string, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const asked = native.body['stream_options'] as { readonly include_usage?: boolean } | null | undefined
    // the ledger always wants to know the usage
    const body = passedBody(native, passedFields, { model, stream: true, stream_options: { ...asked, include_usage: true } })
    const reader = openaiEvents(name, { hidesUsage: asked?.include_usage !== true })
    return passEvents(name, transport.postRaw(path, body, signal, { headers: native.headers, isOver: reader.isOver }), reader)
  }

  async function* passWhole(native: NativeRequest, model: string, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const bytes = await transport.postWhole(path, passedBody(native, passedFields, { model, stream: false, stream_options: undefined }), signal, { headers: native.headers })
    const reader = openaiEvents(name)
    const { chunks } = reader.read(bytes.toString('utf8'))
    const ending = reader.end()
    yield { kind: 'native', bytes }
    for (const chunk of chunks) yield chunk
    for (const chunk of ending) yield chunk
  }

  async function* translated(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const reader = openaiEvents(name)
    for await (const line of transport.postLines(path, toOpenai(request), signal, { isOver: reader.isOver })) {
      if (line.startsWith('data:')) yield* reader.read(line.slice('data:'.length).trim()).chunks
    }
    yield* reader.end()
  }

  return {
    name,
    zone: settings.zone,
    listsAll: false,
    models: (signal) => listOpenaiModels(name, settings.zone, transport, signal),
    chat(request, signal) {
      const { native, model } = request
      if (native?.wire !== 'openai-chat') return translated(request, signal)
      return native.stream ? passStream(native, model, signal) : passWhole(native, model, signal)
    },
    embed: (request, signal) => embedByOpenai(name, transport, request, signal),
    close: () => transport.close(),
  }
}
