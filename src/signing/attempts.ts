import type { Clock } from '../kernel/clock.ts'
import { Fault, toFault } from '../kernel/fault.ts'

const most = 5
const windowMs = 5 * 60_000

export interface Attempts {
  /** Runs one try of getting in. @throws Fault `signin.locked` after five that failed within five minutes, for five minutes */
  attempt<T>(work: () => Promise<T>): Promise<T>
}

interface AttemptsDeps {
  readonly clock: Clock
  onLocked(failures: number): Promise<void>
  /** Hears the code of each try that failed, those while it is locked too. */
  readonly onFailed?: ((code: string) => void) | undefined
}

/** A session that is over by itself is no try of somebody else. */
const innocent: readonly string[] = ['session.over']

/** Counts the tries that were refused, whoever made them: an operator is one person, and loopback has one address. */
export function createAttempts({ clock, onLocked, onFailed }: AttemptsDeps): Attempts {
  let failures: number[] = []
  let lockedUntil = 0
  let underWay = 0
  return {
    async attempt(work) {
      const now = clock.now().getTime()
      failures = failures.filter((at) => at > now - windowMs)
      // those under way count, so that a hundred at once are not a hundred tries
      if (now < lockedUntil || failures.length + underWay >= most) {
        onFailed?.('signin.locked')
        throw new Fault('refused', 'signin.locked', 'too many tries failed: signing in is locked for up to five minutes; what is signed in already goes on')
      }
      underWay += 1
      try {
        return await work()
      } catch (error) {
        const { kind, code } = toFault(error)
        if (kind === 'refused' && !innocent.includes(code)) {
          onFailed?.(code)
          failures.push(clock.now().getTime())
          if (failures.length >= most) {
            lockedUntil = clock.now().getTime() + windowMs
            await onLocked(failures.length)
          }
        }
        throw error
      } finally {
        underWay -= 1
      }
    },
  }
}
