import { Fault } from '../kernel/fault.ts'

/** The calls that are being answered, so that a stop can wait for them and then end them. */
export interface InFlight {
  size(): number
  /** Runs `work` with a signal that aborts when the client is gone or the gate stops. */
  track<T>(onClientGone: (abort: () => void) => void, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Waits until all are done; aborts what is left after `deadlineMs` and waits until that is done too. */
  drain(deadlineMs: number): Promise<void>
}

export function createInFlight(): InFlight {
  const running = new Map<Promise<unknown>, AbortController>()
  const allDone = () => Promise.allSettled(running.keys())

  return {
    size: () => running.size,
    async track(onClientGone, work) {
      const controller = new AbortController()
      let finished = false
      onClientGone(() => {
        // every connection is closed at some time; it matters while there is somebody to answer
        if (!finished) controller.abort(new Fault('conflict', 'client_gone', 'the client closed the connection'))
      })
      const done = work(controller.signal)
      running.set(done, controller)
      try {
        return await done
      } finally {
        finished = true
        running.delete(done)
      }
    },
    async drain(deadlineMs) {
      const deadline = Promise.withResolvers<void>()
      const timer = setTimeout(() => {
        for (const controller of running.values()) controller.abort(new Fault('unavailable', 'gate_stopped', 'the gate is being stopped; try again in a moment'))
        deadline.resolve()
      }, deadlineMs)
      await Promise.race([allDone(), deadline.promise])
      clearTimeout(timer)
      await allDone()
    },
  }
}
