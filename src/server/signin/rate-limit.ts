import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/fault.ts'

const windowMs = 60_000
const perWindow = 600

/**
 * Throws when one caller has asked too often within a minute. There are as many callers as sessions, and one for everybody
 * who has none: on loopback all come from one address.
 */
export function createRateLimit(clock: Clock, most = perWindow): (caller: string) => void {
  let counts = new Map<string, number>()
  let until = 0
  return (caller) => {
    const now = clock.now().getTime()
    if (now >= until) {
      counts = new Map()
      until = now + windowMs
    }
    const count = (counts.get(caller) ?? 0) + 1
    counts.set(caller, count)
    if (count > most) throw new Fault('refused', 'request.rate', `more than ${most} requests within a minute; wait ${Math.ceil((until - now) / 1000)} s`)
  }
}
