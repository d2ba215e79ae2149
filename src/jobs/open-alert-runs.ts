import type { Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import type { QueueName } from '../runs/index.ts'
import type { OpenOutcome } from './open-run.ts'

/**
 * Opens one run of every job that alerts start, where one opened or became critical since its last, unless it would tell nobody: by `tell`, which leads to
 * the operator, and a standing order for it. That a job was started by an alert is written with
 * the run, so whoever dies here, before or after, the next look opens what is missing and nothing twice. Resolves with how many were opened.
 */
export async function openAlertRuns({ pool }: Pick<Database, 'pool'>, tell: string | undefined, onEnqueued: (queue: QueueName) => void = () => {}): Promise<number> {
  const { rows: due } = await pool.query<{ job: string }>('select alerts_due($1) as job', [tell ?? null])
  let opened = 0
  for (const { job } of due) {
    faultPoint('alert.open:before')
    const { rows } = await pool.query<{ outcome: OpenOutcome | null }>('select alerts_open($1, $2, $3, $4) as outcome', [job, newId(), newId(), tell ?? null])
    faultPoint('alert.open:after')
    const [{ outcome }] = rows as [{ outcome: OpenOutcome | null }]
    // null: somebody else was first, the job was paused meanwhile, or the way to the operator is gone
    if (outcome === null) continue
    opened += 1
    if (outcome.queue) onEnqueued(outcome.queue)
  }
  return opened
}
