import type { Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import type { QueueName } from '../runs/index.ts'
import type { OpenOutcome } from './open-run.ts'

const batch = 100

/**
 * Opens the run of every job that waits for an event of a webhook. What a job is owed was written with the event, so whoever dies here, before or
 * after, the next look opens what is missing and nothing twice. Resolves with how many were opened.
 */
export async function openEventRuns(database: Database, onEnqueued: (queue: QueueName) => void = () => {}): Promise<number> {
  let opened = 0
  for (;;) {
    const { rows: due } = await database.pool.query<{ event: string; job: string }>('select event, job from inbound_due($1)', [batch])
    let moved = 0
    for (const { event, job } of due) {
      faultPoint('event.open:before')
      const { rows } = await database.pool.query<{ outcome: OpenOutcome | null }>('select inbound_open($1, $2, $3, $4) as outcome', [event, job, newId(), newId()])
      faultPoint('event.open:after')
      const [{ outcome }] = rows as [{ outcome: OpenOutcome | null }]
      // null: somebody else was first, or the job was paused meanwhile
      if (outcome === null) continue
      moved += 1
      if (outcome.outcome === 'opened' || outcome.outcome === 'waiting') opened += 1
      if (outcome.queue) onEnqueued(outcome.queue)
    }
    if (due.length < batch || moved === 0) return opened
  }
}
