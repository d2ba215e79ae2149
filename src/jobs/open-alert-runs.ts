import type { Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import type { QueueName } from '../runs/index.ts'
import type { OpenOutcome } from './open-run.ts'

/**
 * Opens one run of every job that alerts start, where one opened or became critical since its last. That a job was started by an alert is written with
 * the run, so whoever dies here, before or after, the next look opens what is missing and nothing twice. Resolves with how many were opened.
 */
export async function openAlertRuns({ pool }: Pick<Database, 'pool'>, onEnqueued: (queue: QueueName) => void = () => {}): Promise<number> {
  const { rows: due } = await pool.query<{ job: string }>('select alerts_due() as job')
  let opened = 0
  for (const { job } of due) {
    faultPoint('alert.open:before')
    const { rows } = await pool.query<{ outcome: OpenOutcome | null }>('select alerts_open($1, $2, $3) as outcome', [job, newId(), newId()])
    faultPoint('alert.open:after')
    const [{ outcome }] = rows as [{ outcome: OpenOutcome | null }]
    // null: somebody else was first, or the job was paused meanwhile
    if (outcome === null) continue
    opened += 1
    if (outcome.queue) onEnqueued(outcome.queue)
  }
  return opened
}
