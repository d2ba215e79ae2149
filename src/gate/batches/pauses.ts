import type { Pause } from './line-store.ts'

/** Models that a batch had no money or no room for. Its other models go on; after a new start it is tried once more. */
export interface Pauses {
  /** Waits as long as was said, at least twice as long as before, and never long, since money and room may come sooner. */
  pause(what: Pause, seconds: number, now: number): void
  /** It was answered. */
  end(what: Pause): void
  at(now: number): Pause[]
  /** Of one batch, which has ended; or of all, since the house is another one. */
  forget(batch?: string): void
}

const firstMs = 1_000
const longestMs = 300_000

export function createPauses(): Pauses {
  const pauses = new Map<string, Pause & { readonly ms: number; readonly until: number }>()
  const nameOf = ({ batch, model }: Pause) => `${batch} ${model}`
  return {
    pause({ batch, model }, seconds, now) {
      const before = pauses.get(nameOf({ batch, model }))
      // others that were asked at the same time say the same
      if (before && before.until > now) return
      const ms = Math.min(longestMs, Math.max(seconds * 1_000, before ? before.ms * 2 : firstMs))
      pauses.set(nameOf({ batch, model }), { batch, model, ms, until: now + ms })
    },
    end: (what) => void pauses.delete(nameOf(what)),
    at: (now) => [...pauses.values()].filter(({ until }) => until > now).map(({ batch, model }) => ({ batch, model })),
    forget(batch) {
      for (const [name, pause] of pauses) if (batch === undefined || pause.batch === batch) pauses.delete(name)
    },
  }
}
