import { Fault } from '../kernel/fault.ts'
import type { UpstreamTimeouts } from './upstream.ts'

/** Aborts a request when its upstream is silent for too long, or when its caller gives up. */
export interface Silence {
  /** Its reason is the `Fault`, or the caller's own reason. */
  readonly signal: AbortSignal
  /** Something was heard; the clock stands still until `resume`. */
  pause(): void
  resume(): void
  end(): void
}

/** One clock for the whole exchange: `firstByte` until something of the answer was heard, `idle` from then on. */
export function watchSilence(name: string, timeouts: UpstreamTimeouts, caller: AbortSignal | undefined): Silence {
  const controller = new AbortController()
  const giveUp = () => controller.abort(caller?.reason)
  if (caller?.aborted) giveUp()
  caller?.addEventListener('abort', giveUp, { once: true })
  let isPaused = false
  let timer = arm('first byte', 'upstream.first_byte', timeouts.firstByte)
  let isIdleTimer = false

  function arm(what: string, code: string, milliseconds: number): NodeJS.Timeout {
    const armed = setTimeout(() => {
      // to take the time anew is cheaper than to take down the clock and put up another with every piece of a stream
      if (isPaused) return void armed.refresh()
      controller.abort(new Fault('timeout', code, `upstream ${name} was silent for ${milliseconds} ms (${what})`, { upstream: name }))
    }, milliseconds)
    return armed
  }

  return {
    signal: controller.signal,
    pause: () => {
      isPaused = true
    },
    resume: () => {
      isPaused = false
      if (isIdleTimer) return void timer.refresh()
      clearTimeout(timer)
      timer = arm('idle', 'upstream.idle', timeouts.idle)
      isIdleTimer = true
    },
    end: () => {
      clearTimeout(timer)
      caller?.removeEventListener('abort', giveUp)
    },
  }
}
