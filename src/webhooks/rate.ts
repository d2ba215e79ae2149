import type { Clock } from '../kernel/clock.ts'

const windowMs = 60_000

/** Counts what comes for each name within a minute. Names are those that are declared, and one for all others. */
export function createRate(clock: Clock): (name: string, most: number) => boolean {
  let counts = new Map<string, number>()
  let until = 0
  return (name, most) => {
    const now = clock.now().getTime()
    // a clock that was set back must not keep a window for hours
    if (now >= until || until - now > windowMs) {
      counts = new Map()
      until = now + windowMs
    }
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return count <= most
  }
}
