import { batched } from '../kernel/batch.ts'
import { lazily, type Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import { flushLedger, type QueueName } from '../runs/index.ts'

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

/**
 * Records a slot and opens its run, with its queue job, in one transaction; requests of the same moment share one.
 * A worker may begin with a run while the disk still takes it in; who asked hears of it once it is there for good.
 * The returned verb throws Fault `job.missing`.
 * @param onEnqueued hears at once which queue has work
 */
export function createRunOpener(database: Database, onEnqueued: (queue: QueueName) => void = () => {}): (request: OpenRequest) => Promise<OpenOutcome> {
  const open = batched(async (requests: readonly OpenRequest[]) => {
    const outcomes = await openRuns(database, requests)
    for (const queue of new Set(outcomes.flatMap(({ outcome, queue }) => (outcome === 'opened' && queue ? [queue] : [])))) onEnqueued(queue)
    return outcomes
  }, batchSize, batchesAtOnce)
  const flush = batched(async (requests: readonly OpenRequest[]) => {
    await flushLedger(database)
    return requests
  })
  return async (request) => {
    const outcome = await open(request)
    await flush(request)
    faultPoint('run.open:after')
    return outcome
  }
}

/** Small enough that two share the work of a crowd between two processors. */
const batchSize = 16
const batchesAtOnce = 2

async function openRuns(database: Database, requests: readonly OpenRequest[]): Promise<OpenOutcome[]> {
  faultPoint('run.open:before')
  const { rows } = await database
    .pool.query<{ place: number; opened: OpenOutcome }>({
      name: 'run_open',
      // jobs in one order, so that two of us never wait for each other
      text: `select place::int, run_open(run, occurrence, job, slot, origin, key, input) as opened from (
          select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::jsonb[])
            with ordinality as wanted(run, occurrence, job, slot, origin, key, input, place) order by job, place
        ) as ordered, ${lazily}`,
      values: [
        requests.map(() => newId()), requests.map(() => newId()),
        requests.map(({ job }) => job), requests.map(({ slot }) => slot), requests.map(({ origin }) => origin),
        requests.map(({ key }) => key ?? null), requests.map(({ input }) => JSON.stringify(input ?? {})),
      ],
    })
    .catch((error: { code?: string }) => {
      if (error.code !== 'CA404') throw error
      const names = [...new Set(requests.map(({ job }) => `"${job}"`))].join(', ')
      throw new Fault('missing', 'job.missing', `there is no job ${names}; \`castellan job list\` shows those that are declared`)
    })
  return rows.sort((a, b) => a.place - b.place).map((row) => row.opened)
}
