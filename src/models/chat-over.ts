import type { ChatChunk, ChatRequest, NativeRequest, WireName } from './chat.ts'
import { passEvents, type EventReader } from './pass.ts'
import type { Transport } from './transport.ts'
import type { Upstream } from './upstream.ts'

/** A wire of server-sent events, or of JSON lines, as one upstream speaks it. */
export interface SpokenWire {
  readonly upstream: string
  /** Of requests that are passed through; undefined: none are. */
  readonly wire: WireName | undefined
  /** Of one request: on some wires the model and the way of answering stand in it. */
  path(model: string, stream: boolean): string
  /** What a stream is made of: server-sent events unless said otherwise. */
  readonly by?: 'line' | 'event'
  readonly transport: Pick<Transport, 'postLines' | 'postRaw' | 'postWhole'>
  /** Understands one answer. `native`: the request that it is passed through for. */
  reader(native?: NativeRequest): EventReader
  /** The body for a request of the same wire. */
  passed(native: NativeRequest, model: string): Record<string, unknown>
  /** The body for a request of another; asks for a stream. */
  translated(request: ChatRequest): Record<string, unknown>
}

/** Passes requests of the same wire through, and translates those of others. */
export function chatOver({ upstream, wire, path, by = 'event', transport, reader: open, passed, translated }: SpokenWire): Upstream['chat'] {
  function passStream(native: NativeRequest, model: string, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const reader = open(native)
    return passEvents(upstream, transport.postRaw(path(model, true), passed(native, model), signal, { headers: native.headers, isOver: reader.isOver }), reader, by)
  }

  async function* passWhole(native: NativeRequest, model: string, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const bytes = await transport.postWhole(path(model, false), passed(native, model), signal, { headers: native.headers })
    const reader = open(native)
    const { chunks } = reader.read(bytes.toString('utf8'))
    // an answer that is not whole is not shown
    const ending = reader.end()
    yield { kind: 'native', bytes }
    // `yield*` in an async generator takes more turns of the event loop (measured)
    for (const chunk of chunks) yield chunk
    for (const chunk of ending) yield chunk
  }

  async function* translate(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    const reader = open()
    for await (const line of transport.postLines(path(request.model, true), translated(request), signal, { isOver: reader.isOver })) {
      const data = by === 'line' ? line.trim() || undefined : line.startsWith('data:') ? line.slice('data:'.length).trim() : undefined
      if (data === undefined) reader.beside?.(line)
      else yield* reader.read(data).chunks
      if (reader.isOver()) break
    }
    yield* reader.end()
  }

  return (request, signal) => {
    const { native, model } = request
    if (!native || native.wire !== wire) return translate(request, signal)
    return native.stream ? passStream(native, model, signal) : passWhole(native, model, signal)
  }
}
