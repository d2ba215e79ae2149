import type { Label } from '../labels/index.ts'

/** Thrown by a tool that waits for a decision: the run is parked and holds no process; the decision takes it up in the same step again. */
export class Park {
  /** What it waits for, for the timeline: names and counts, never content. */
  readonly reason: string
  /** What the step had read until then; set by `callTool`. */
  readonly label: Label | undefined

  constructor(reason: string, label?: Label) {
    this.reason = reason
    this.label = label
  }
}
