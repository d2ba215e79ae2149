import { Fault, toFault } from '../kernel/fault.ts'
import type { ChatChunk, NativeRequest } from './chat.ts'
import { createSplitter } from './splitter.ts'

/** What a wire makes of its own events, for the ledger; a client is shown the events themselves. */
export interface EventReader {
  /** The chunks of one event. `hidden`: the client did not ask for this event, we did. Faults: an error that was told inside the stream, and `upstream.malformed`. */
  read(data: string): { readonly chunks: readonly ChatChunk[]; readonly hidden?: boolean }
  /** What stands in the stream outside of events, line by line. Faults: an error that is told there. */
  beside?(text: string): void
  /** The chunks that are known only now. Faults: `upstream.died` when the answer is not whole. */
  end(): readonly ChatChunk[]
  /** Was that the last event? Whatever comes after it is not read. */
  isOver(): boolean
}

/**
 * The body that goes to an upstream of the same wire: of the client's own fields those that are in `kept`, in the order in which they came, so
 * that a provider finds the beginning of the prompt in its cache. What is not known to be harmless is left out, since it might make a provider
 * store, tag, search or ask others.
 */
export function passedBody({ body }: NativeRequest, kept: ReadonlySet<string>, ours: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const passed: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(body)) {
    if (name in ours) passed[name] = ours[name]
    else if (kept.has(name)) passed[name] = value
  }
  for (const [name, value] of Object.entries(ours)) if (value !== undefined && !(name in passed)) passed[name] = value
  return passed
}

/**
 * Passes a stream of events through: its bytes in native chunks, whole events only, so that something of our own can follow any of them; then
 * what was understood of them. An error that comes first is thrown unseen, since another upstream may still answer; one that the upstream tells later
 * is passed and then thrown with `passed` among its details. What nobody can read is not passed: the client is told so in words that it can.
 */
export async function* passEvents(upstream: string, raw: AsyncIterable<Buffer>, reader: EventReader, by: 'line' | 'event' = 'event'): AsyncGenerator<ChatChunk, void, void> {
  const splitter = createSplitter(upstream, by)
  let isShown = false
  function* pass(pieces: readonly Buffer[]): Generator<ChatChunk, void, void> {
    const { shown, chunks, fault } = understand(pieces, reader, by)
    if (fault && !isShown && chunks.length === 0) throw fault
    if (shown.length > 0) {
      isShown = true
      yield { kind: 'native', bytes: shown.length === 1 ? shown[0]! : Buffer.concat(shown) }
    }
    yield* chunks
    if (fault) throw isTold(fault) ? new Fault(fault.kind, fault.code, fault.message, { ...fault.details, passed: true }, fault) : fault
  }

  for await (const bytes of raw) {
    const pieces = splitter.push(bytes)
    // not delegated to: that would cost a turn of its own for each chunk
    if (pieces.length > 0) for (const chunk of pass(pieces)) yield chunk
  }
  const rest = splitter.rest()
  if (rest.length > 0 && !reader.isOver()) for (const chunk of pass([rest])) yield chunk
  for (const chunk of reader.end()) yield chunk
}

/** Which pieces are shown, and what they mean; nothing of what follows a fault. */
function understand(pieces: readonly Buffer[], reader: EventReader, by: 'line' | 'event'): { shown: Buffer[]; chunks: ChatChunk[]; fault?: Fault } {
  const shown: Buffer[] = []
  const chunks: ChatChunk[] = []
  for (const piece of pieces) {
    if (reader.isOver()) break
    let isHidden = false
    try {
      const events = dataOf(piece, by)
      if (events.length === 0) reader.beside?.(piece.toString('utf8'))
      for (const data of events) {
        const understood = reader.read(data)
        chunks.push(...understood.chunks)
        isHidden ||= understood.hidden ?? false
      }
    } catch (error) {
      const fault = toFault(error)
      return { shown: isTold(fault) ? [...shown, piece] : shown, chunks, fault }
    }
    if (!isHidden) shown.push(piece)
  }
  return { shown, chunks }
}

/** Did the upstream itself say that it failed? */
function isTold({ code }: Fault): boolean {
  return code === 'upstream.failed' || code === 'upstream.limited'
}

/** Was this error told to the client by the upstream itself, in what was passed? */
export function wasPassed(error: unknown): boolean {
  return error instanceof Fault && error.details['passed'] === true
}

function dataOf(piece: Buffer, by: 'line' | 'event'): string[] {
  const lines = piece.toString('utf8').split('\n')
  if (by === 'line') return lines.filter((line) => line.trim() !== '')
  return lines.filter((line) => line.startsWith('data:')).map((line) => line.slice('data:'.length).trim())
}
