/** Thrown by a tool that waits for a decision: the run is parked and holds no process; the decision takes it up in the same step again. */
export class Park {
  /** What it waits for, for the timeline: names and counts, never content. */
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}
