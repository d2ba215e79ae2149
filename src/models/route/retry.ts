import type { RoutingSettings } from '../../house/index.ts'
import type { Fault } from '../../kernel/fault.ts'

const firstPauseMs = 250
/** What may be better in a moment. A first byte that did not come has been waited for long enough. */
const passing = new Set(['upstream.unreachable', 'upstream.failed', 'upstream.died', 'upstream.limited'])

/**
 * Milliseconds to wait before the same model is asked again; undefined: it is not. As long as the upstream said, else twice as long each time,
 * and anything below that ("full jitter", AWS Architecture Blog 2015), so that calls which failed together do not come back together.
 */
export function pauseBefore(tries: number, fault: Fault, { tries: most, longestWaitMs }: RoutingSettings['retry'], random: () => number = Math.random): number | undefined {
  if (tries >= most || !passing.has(fault.code)) return undefined
  const { retryAfter } = fault.details
  const pause = typeof retryAfter === 'number' ? retryAfter * 1_000 + random() * firstPauseMs : random() * firstPauseMs * 2 ** tries
  return pause > longestWaitMs + firstPauseMs ? undefined : Math.ceil(pause)
}
