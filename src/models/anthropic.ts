import { Fault } from '../kernel/fault.ts'
import { anthropicEvents } from './anthropic-events.ts'
import { passedMessages, toMessages } from './anthropic-wire.ts'
import type { ChatChunk, ChatRequest, NativeRequest } from './chat.ts'
import { passEvents } from './pass.ts'
import { createTransport } from './transport.ts'
import { defaultTimeouts, type Upstream, type UpstreamSettings } from './upstream.ts'

const path = '/messages'
const version = '2023-06-01'

/** A server of Anthropic's messages (https://docs.anthropic.com/en/api/messages); `url` ends where `/messages` begins, usually in `/v1`. */
export function createAnthropic(settings: UpstreamSettings, key?: string): Upstream {
  const { name, zone } = settings
  const transport = createTransport({
    name, url: settings.url, timeouts: { ...defaultTimeouts, ...settings.timeouts },
    headers: { 'anthropic-version': version, ...(key !== undefined && { 'x-api-key': key }) },
  })

  async function* passStream(native: NativeRequest, model: string, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const reader = anthropicEvents(name)
    yield* passEvents(name, transport.postRaw(path, passedMessages(native, model), signal, { headers: native.headers, isOver: reader.isOver }), reader)
  }

  async function* passWhole(native: NativeRequest, model: string, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const bytes = await transport.postWhole(path, passedMessages(native, model), signal, { headers: native.headers })
    const reader = anthropicEvents(name)
    const { chunks } = reader.read(bytes.toString('utf8'))
    const ending = reader.end()
    yield { kind: 'native', bytes }
    yield* chunks
    yield* ending
  }

  async function* translated(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const reader = anthropicEvents(name)
    for await (const line of transport.postLines(path, toMessages(request), signal, { isOver: reader.isOver })) {
      if (line.startsWith('data:')) yield* reader.read(line.slice('data:'.length).trim()).chunks
    }
    yield* reader.end()
  }

  return {
    name,
    zone,
    listsAll: false,
    async models(signal) {
      const { data } = (await transport.getJson('/models?limit=1000', signal)) as { data?: readonly { id: string }[] }
      if (!Array.isArray(data)) throw new Fault('unavailable', 'upstream.malformed', `upstream ${name} does not speak Anthropic's wire: /models has no data`)
      return (data as readonly { id: string }[]).map(({ id }) => ({ name: id, zone, embedding: false }))
    },
    chat(request, signal) {
      const { native, model } = request
      if (native?.wire !== 'anthropic-messages') return translated(request, signal)
      return native.stream ? passStream(native, model, signal) : passWhole(native, model, signal)
    },
    close: () => transport.close(),
  }
}
