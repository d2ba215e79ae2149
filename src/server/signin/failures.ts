import type { Clock } from '../../kernel/clock.ts'

export const mostFailures = 5
const windowMs = 5 * 60_000

export interface Failures {
  /** Milliseconds until somebody may try again; 0: now. */
  lockedFor(): number
  /** Counts one; true when this was the one that locks. */
  count(): boolean
}

/** Five wrong codes within five minutes lock signing in for five more. For all callers together: on loopback they cannot be told apart. */
export function createFailures(clock: Clock): Failures {
  let times: number[] = []
  let lockedUntil = 0
  return {
    lockedFor: () => Math.max(0, lockedUntil - clock.now().getTime()),
    count() {
      const now = clock.now().getTime()
      times = [...times.filter((time) => time > now - windowMs), now]
      if (times.length < mostFailures) return false
      times = []
      lockedUntil = now + windowMs
      return true
    },
  }
}
