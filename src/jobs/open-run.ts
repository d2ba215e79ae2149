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
  /** `waiting`: behind a run of the same job; `skipped`: the overlap policy says so; `duplicate`: `run` is the first one, if there was one. */
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

async function openRuns(database: Database, requests: readonly OpenRequest[]): Promise<readonly OpenOutcome[]> {
  faultPoint('run.open:before')
  try {
    return requests.length === 1 ? [await openOne(database, requests[0]!)] : await openSeveral(database, requests)
  } catch (error) {
    if ((error as { code?: string }).code !== 'CA404') throw error
    const names = [...new Set(requests.map(({ job }) => `"${job}"`))].join(', ')
    throw new Fault('missing', 'job.missing', `there is no job ${names}; \`castellan job list\` shows those that are declared`)
  }
}

/** A lone run costs the database less by itself. */
async function openOne({ pool }: Database, request: OpenRequest): Promise<OpenOutcome> {
  const { rows } = await pool.query<{ opened: OpenOutcome }>({
    name: 'run_open',
    text: `select run_open($1, $2, $3, $4, $5, $6, $7) as opened from ${lazily}`,
    values: valuesOf(request),
  })
  return rows[0]!.opened
}

async function openSeveral({ pool }: Database, requests: readonly OpenRequest[]): Promise<OpenOutcome[]> {
  const each = requests.map(valuesOf)
  const { rows } = await pool.query<{ place: number; opened: OpenOutcome }>({
    name: 'runs_open',
    text: `select place, opened from ${lazily}, runs_open($1, $2, $3, $4, $5, $6, $7)`,
    values: each[0]!.map((_, column) => each.map((values) => values[column])),
  })
  return rows.sort((a, b) => a.place - b.place).map((row) => row.opened)
}

/** Run, occurrence, job, slot, origin, key, input. */
function valuesOf({ job, slot, origin, key, input }: OpenRequest): unknown[] {
  return [newId(), newId(), job, slot, origin, key ?? null, JSON.stringify(input ?? {})]
}
