import type { ChatChunk, ChatRequest, NativeRequest } from './chat.ts'
import { embedByOpenai } from './openai-embed.ts'
import { listOpenaiModels } from './openai-models.ts'
import { responsesEvents } from './openai-responses-events.ts'
import { passedResponses, toResponses } from './openai-responses-wire.ts'
import { passEvents } from './pass.ts'
import { createTransport } from './transport.ts'
import { defaultTimeouts, type Upstream, type UpstreamSettings } from './upstream.ts'

const path = '/responses'

/** A server of OpenAI's responses; `url` ends where `/responses` begins, usually in `/v1`. It is told to store nothing. */
export function createOpenaiResponses(settings: UpstreamSettings, key?: string): Upstream {
  const { name } = settings
  const transport = createTransport({ name, url: settings.url, key, timeouts: { ...defaultTimeouts, ...settings.timeouts } })

  async function* passStream(native: NativeRequest, model: string, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const reader = responsesEvents(name, { isPassed: true })
    yield* passEvents(name, transport.postRaw(path, passedResponses(native, model), signal, { headers: native.headers, isOver: reader.isOver }), reader)
  }

  async function* passWhole(native: NativeRequest, model: string, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const bytes = await transport.postWhole(path, passedResponses(native, model), signal, { headers: native.headers })
    const reader = responsesEvents(name)
    const { chunks } = reader.read(bytes.toString('utf8'))
    const ending = reader.end()
    yield { kind: 'native', bytes }
    yield* chunks
    yield* ending
  }

  async function* translated(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const reader = responsesEvents(name)
    for await (const line of transport.postLines(path, toResponses(name, request), signal, { isOver: reader.isOver })) {
      if (line.startsWith('data:')) yield* reader.read(line.slice('data:'.length).trim()).chunks
      if (reader.isOver()) break
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
      if (native?.wire !== 'openai-responses') return translated(request, signal)
      return native.stream ? passStream(native, model, signal) : passWhole(native, model, signal)
    },
    embed: (request, signal) => embedByOpenai(name, transport, request, signal),
    close: () => transport.close(),
  }
}
