import { Fault } from '../kernel/fault.ts'
import type { ChatChunk } from './chat.ts'

/** What was understood of an upstream's event, which may have had any shape. Faults: `upstream.malformed` when it is not made of chunks. */
export function checkChunks(upstream: string, understand: () => Iterable<ChatChunk>): ChatChunk[] {
  try {
    const chunks = [...understand()]
    if (chunks.every(isWhole)) return chunks
  } catch {
    // told below
  }
  throw new Fault('unavailable', 'upstream.malformed', `upstream ${upstream} sent something that does not have the shape of an answer`, { upstream })
}

function isWhole(chunk: ChatChunk): boolean {
  if (chunk.kind === 'text' || chunk.kind === 'thinking') return typeof chunk.text === 'string'
  if (chunk.kind !== 'tool_call') return true
  return typeof chunk.arguments === 'string' && Number.isSafeInteger(chunk.index) && [chunk.id, chunk.name].every((name) => name === undefined || typeof name === 'string')
}
