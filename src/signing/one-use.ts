import { createHash } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'

/** Challenges that were handed out and may come back once, in memory: a restart forgets them, and the page asks again. */
export interface OneUse<T> {
  put(key: string, value: T): void
  /** Takes it out. Nothing when it never was, was taken before, or is too old. */
  take(key: string): T | undefined
}

/** Holds the newest `most`: who asks and never answers fills nothing. */
export function createOneUse<T>({ clock, lifeMs, most }: { clock: Clock; lifeMs: number; most: number }): OneUse<T> {
  const held = new Map<string, { value: T; until: number }>()
  return {
    put(key, value) {
      for (const oldest of held.keys()) {
        if (held.size < most) break
        held.delete(oldest)
      }
      held.set(digest(key), { value, until: clock.now().getTime() + lifeMs })
    },
    take(key) {
      const found = held.get(digest(key))
      held.delete(digest(key))
      return found && clock.now().getTime() < found.until ? found.value : undefined
    },
  }
}

/** What is looked up is never compared byte by byte with what is held: how long the look takes tells nothing. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
