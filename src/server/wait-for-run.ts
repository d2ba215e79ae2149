import type { EventEmitter } from 'node:events'
import type { FastifyReply } from 'fastify'
import type { Database } from '../kernel/database/connect.ts'
import { isClosed } from './read/runs.ts'

const firstPauseMs = 25
const longestPauseMs = 500

export interface WaitOptions {
  readonly milliseconds: number
  readonly signal: AbortSignal
  /** A parked run waits for a decision, which may take days. */
  readonly endWhenParked?: boolean
}

/**
 * Resolves when the run is closed, the time is up or the signal aborts, whichever is first.
 * Workers hint at progress (`wakes`); without a hint it looks again after growing pauses.
 */
export async function waitForRun(deps: { database: Database; wakes: EventEmitter }, run: string, options: WaitOptions): Promise<void> {
  const until = performance.now() + options.milliseconds
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const { closed, state } = await isClosed(deps.database, run)
    const left = until - performance.now()
    if (closed || (state === 'parked' && options.endWhenParked) || left <= 0 || options.signal.aborted) return
    await pauseOrWake(deps.wakes, options.signal, Math.min(pause, left))
  }
}

function pauseOrWake(wakes: EventEmitter, signal: AbortSignal, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer)
      wakes.off('wake', go)
      signal.removeEventListener('abort', go)
      resolve()
    }
    const timer = setTimeout(go, milliseconds)
    wakes.once('wake', go)
    signal.addEventListener('abort', go, { once: true })
  })
}

/** Aborts when the caller has hung up. (Fastify's `request.signal` aborts as soon as a request's body was read.) */
export function hungUp(reply: FastifyReply): AbortSignal {
  // a connection that is closed already will not say so again
  if (reply.raw.destroyed) return AbortSignal.abort()
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return gone.signal
}
