import type { Step } from '../api/views.ts'

export interface Span {
  /** Of the whole, 0 to 1. */
  readonly from: number
  readonly width: number
  readonly milliseconds: number
}

/** Where each step lies in the time of its run; null for one that has not begun. Those that go on reach until now. */
export function spansOf(steps: readonly Pick<Step, 'started_at' | 'closed_at'>[], now: Date): (Span | null)[] {
  const times = steps.map(({ started_at, closed_at }) => (started_at === null ? null : { from: Date.parse(started_at), to: closed_at === null ? now.getTime() : Date.parse(closed_at) }))
  const begun = times.filter((time) => time !== null)
  const start = Math.min(...begun.map(({ from }) => from))
  const whole = Math.max(1, Math.max(...begun.map(({ to }) => to)) - start)
  return times.map((time) => {
    if (time === null) return null
    const milliseconds = Math.max(0, time.to - time.from)
    return { from: Math.min(1, (time.from - start) / whole), width: milliseconds / whole, milliseconds }
  })
}
