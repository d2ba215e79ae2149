import { newId } from '../../src/kernel/ids.ts'
import type { Database } from '../../src/kernel/database/connect.ts'
import { join, type Label, type Level } from '../../src/labels/index.ts'
import type { ToolRun } from '../../src/tools/index.ts'
import type { TestDatabase } from './database.ts'
import { declareJobs, jobDefinition } from './jobs.ts'

/** A run that is being executed, in its step `only`, with the label that a step gathers. */
export interface TestRun {
  readonly run: ToolRun
  label(): Label
  raise(label: Label): void
  readonly logged: string[]
  log(level: 'info' | 'warn' | 'error', message: string): void
}

/** Opens and claims a run of a job of its own; the run's row has this label too. */
export async function openTestRun(
  database: TestDatabase,
  { lane = 'private', level = 1, readsUpTo = 2 }: { lane?: 'open' | 'private'; level?: Level; readsUpTo?: Level } = {},
): Promise<TestRun> {
  const job = jobDefinition({ name: `job-${newId()}`, lane, readsUpTo, label: { level, integrity: 'trusted', lanes: [] } })
  await declareJobs(database.owner, [job])
  const id = newId()
  await database.as('castellan_server').pool.query(`select run_open($1, $2, $3, now(), 'manual', null, '{}')`, [id, newId(), job.name])
  // each run belongs to one worker
  const { rows: [its] } = await database.owner.pool.query<{ queue: string }>('select queue_of(lane, label_level, label_lanes) as queue from run where id = $1', [id])
  const worker = database.as(its!.queue === 'runs_open' ? 'castellan_worker_open' : 'castellan_worker_private')
  const { rows } = await worker.pool.query<{ claim: { fence: string; label: Label } }>(`select run_claim($1, 'test', 1000) as claim`, [id])
  const { fence, label } = rows[0]!.claim
  let current = label
  const logged: string[] = []
  return {
    run: { id, job: job.name, lane, fence, readsUpTo, label },
    label: () => current,
    raise: (more) => {
      current = join(current, more)
    },
    logged,
    log: (_level, message) => logged.push(message),
  }
}

/** Another executor takes the run: the fence that a test holds is void from then on. */
export async function takeOver(owner: Database, run: string): Promise<void> {
  await owner.pool.query('update run set fence = gen_random_uuid() where id = $1', [run])
}
