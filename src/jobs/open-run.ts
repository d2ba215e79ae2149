import { faultPoint } from '../kernel/fault-point.ts'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import type { Database } from '../kernel/database/connect.ts'
import type { QueueName } from '../runs/index.ts'
import type { Queue } from './queue.ts'

export interface OpenRequest {
  readonly job: string
  readonly slot: Date
  readonly origin: 'schedule' | 'manual' | 'redrive'
  /** A second request with the same key of the same job gets the first run. */
  readonly key?: string
  readonly input?: Record<string, unknown>
}

export interface OpenOutcome {
  /** `waiting`: behind a run of the same job; `skipped`: the overlap policy says so; `duplicate`: `run` is the first one. */
  readonly outcome: 'opened' | 'waiting' | 'skipped' | 'duplicate'
  readonly run: string
  readonly queue?: QueueName
}

/** Records a slot and opens its run, with its queue job, in one transaction. @throws Fault `job.missing` */
export async function openRun(deps: { database: Database; queue: Queue }, request: OpenRequest): Promise<OpenOutcome> {
  faultPoint('run.open:before')
  const opened = await deps.database.transaction(async (client) => {
    const { rows } = await client.query<{ opened: OpenOutcome }>({
      name: 'run_open',
      text: 'select run_open($1, $2, $3, $4, $5, $6, $7) as opened',
      values: [newId(), newId(), request.job, request.slot, request.origin, request.key ?? null, JSON.stringify(request.input ?? {})],
    })
    const { opened } = rows[0]!
    if (opened.outcome === 'opened') await deps.queue.enqueue(client, opened.queue!, opened.run)
    return opened
  }).catch((error: { code?: string }) => {
    if (error.code !== 'CA404') throw error
    throw new Fault('missing', 'job.missing', `there is no job "${request.job}"; \`castellan job list\` shows those that are declared`)
  })
  faultPoint('run.open:after')
  return opened
}
