/** The time that schedules and expiries read. Injected, so that a test can make it jump. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock that stands still until it is told to move; for tests. */
export function createManualClock(start: Date): Clock & { set(time: Date): void; advance(milliseconds: number): void } {
  let current = start.getTime()
  return {
    now: () => new Date(current),
    set: (time) => {
      current = time.getTime()
    },
    advance: (milliseconds) => {
      current += milliseconds
    },
  }
}
