import { createHash } from 'node:crypto'
import type { CacheSettings } from '../../house/index.ts'
import type { ChatChunk, Conversation, NativeRequest } from '../chat.ts'
import type { Label } from '../../labels/index.ts'
import type { Candidate } from '../plan.ts'

/** All that an answer depends on, and all that decides who may see it. */
export interface Cacheable {
  readonly label: Label
  /** Of who asks. */
  readonly lane: string
  readonly task: string
  readonly candidates: readonly Candidate[]
  readonly conversation: Conversation
  readonly native: NativeRequest | undefined
}

interface KeptAnswer {
  readonly candidate: Candidate
  readonly chunks: readonly ChatChunk[]
}

/** Whole answers of one gate, in its memory alone. */
export interface ResponseCache {
  /** Nothing: answers to such a call are not kept. */
  keyOf(call: Cacheable): string | undefined
  get(key: string): KeptAnswer | undefined
  /** Passes an answer on, and keeps it once it has ended well. */
  keeping(key: string, candidate: Candidate, chunks: AsyncIterableIterator<ChatChunk, void>): AsyncIterableIterator<ChatChunk, void>
  forget(): void
}

interface Entry extends KeptAnswer {
  readonly bytes: number
  readonly until: number
}

/** Of all the memory, what one answer may take. */
const largestShare = 8
const bytesOfChunk = 96

export function createResponseCache(settings: () => CacheSettings | null, now: () => number = () => performance.now()): ResponseCache {
  // the first of the map is the one that was used longest ago
  const entries = new Map<string, Entry>()
  let held = 0

  function drop(key: string): void {
    held -= entries.get(key)?.bytes ?? 0
    entries.delete(key)
  }

  function put(key: string, entry: Entry, most: number): void {
    drop(key)
    entries.set(key, entry)
    held += entry.bytes
    for (const oldest of entries.keys()) {
      if (held <= most) break
      drop(oldest)
    }
  }

  function keep(key: string, candidate: Candidate, chunks: readonly ChatChunk[], bytes: number): void {
    const { bytes: most, keepMs } = settings() ?? { bytes: 0, keepMs: 0 }
    if (bytes * largestShare <= most && chunks.some(({ kind }) => kind === 'finish')) put(key, { candidate, chunks, bytes, until: now() + keepMs }, most)
  }

  return {
    keyOf({ label, lane, task, candidates, conversation, native }) {
      const kept = settings()
      if (!kept || (kept.tasks && !kept.tasks.includes(task))) return undefined
      return createHash('sha256').update(JSON.stringify([label.level, label.integrity, label.lanes.toSorted(), lane, task, candidates, conversation, native ?? null])).digest('base64')
    },
    get(key) {
      const found = entries.get(key)
      if (!found) return undefined
      if (found.until <= now()) {
        drop(key)
        return undefined
      }
      entries.delete(key)
      entries.set(key, found)
      return found
    },
    keeping(key, candidate, chunks) {
      let seen: ChatChunk[] | undefined = []
      let bytes = 0
      return {
        next: async () => {
          const result = await chunks.next()
          if (result.done) keep(key, candidate, seen ?? [], bytes)
          else {
            bytes += bytesOfChunk + sizeOf(result.value)
            if (bytes * largestShare > (settings()?.bytes ?? 0)) seen = undefined
            seen?.push(result.value)
          }
          return result
        },
        // who leaves early closes the call, and what came until then is no answer
        return: async () => (await chunks.return?.()) ?? { done: true, value: undefined },
        [Symbol.asyncIterator]() {
          return this
        },
      }
    },
    forget() {
      entries.clear()
      held = 0
    },
  }
}

function sizeOf(chunk: ChatChunk): number {
  switch (chunk.kind) {
    case 'native':
      return chunk.bytes.length
    case 'text':
    case 'thinking':
      return 2 * chunk.text.length
    case 'tool_call':
      return 2 * chunk.arguments.length
    default:
      return 0
  }
}
