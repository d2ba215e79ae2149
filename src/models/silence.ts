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
  let timer = arm('first byte', 'upstream.first_byte', timeouts.firstByte)

  function arm(what: string, code: string, milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      controller.abort(new Fault('timeout', code, `upstream ${name} was silent for ${milliseconds} ms (${what})`, { upstream: name }))
    }, milliseconds)
  }

  return {
    signal: controller.signal,
    pause: () => clearTimeout(timer),
    resume: () => {
      clearTimeout(timer)
      timer = arm('idle', 'upstream.idle', timeouts.idle)
    },
    end: () => {
      clearTimeout(timer)
      caller?.removeEventListener('abort', giveUp)
    },
  }
}
