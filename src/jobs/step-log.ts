import type { JobLog } from '../kernel/job-log.ts'
import { describeLevel, maySee, type Lanes } from '../labels/index.ts'
import type { Claim, LogLine, StepResult } from '../runs/index.ts'

export interface StepLogDeps {
  readonly jobLog: Pick<JobLog, 'write'>
  /** Whose folder the files are in. */
  readonly worker: 'open' | 'private'
  readonly lanes: () => Lanes
}

/** Writes what a step logged to the file of its job, too. What the open worker could not read in the ledger again stays out of its files. */
export function createStepLog({ jobLog, worker, lanes }: StepLogDeps): (claim: Claim, result: StepResult, lines: readonly LogLine[]) => void {
  return ({ job, run }, { step, label }, lines) => {
    if (!maySee(worker, label, lanes())) return
    jobLog.write(job, lines.map(({ at, level, message, fields }) => ({ at, level, job, run, step, label: describeLevel(label.level), message, ...(fields && { fields }) })))
  }
}
