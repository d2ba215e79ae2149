import { lazily, type Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import type { JobDefinition } from '../house/index.ts'
import type { Label } from '../labels/index.ts'

/** A run that this executor holds: what to do, how far it is, and the fence that every write must show. */
export interface Claim {
  readonly run: string
  readonly fence: string
  readonly job: string
  readonly lane: string
  readonly definition: JobDefinition
  readonly input: Record<string, unknown>
  readonly label: Label
  /** The slot that this run answers for, ISO 8601. */
  readonly slot: string
  readonly steps: Record<string, { state: 'succeeded' | 'skipped'; output: unknown }>
  readonly next: NextStep
}

export interface NextStep {
  readonly id: string
  readonly position: number
  /** Counts every start of the step, crashes included. */
  readonly attempt: number
  readonly failures: number
  /** How often an executor was gone before the step was done. */
  readonly crashes: number
}

export type QueueName = 'runs_open' | 'runs_private'

type Taken = ({ outcome: 'claimed' } & Claim) | { outcome: 'outdated'; needs: number }

/** What came of a step, as the database stores it. */
export interface StepResult {
  readonly step: string
  readonly state: 'succeeded' | 'skipped' | 'failed' | 'parked'
  readonly output?: unknown
  readonly label: Label
  readonly error?: { code: string; message: string; details?: unknown }
  /** False when trying again cannot help. */
  readonly retry?: boolean
  readonly without_model?: boolean
}

export interface LogLine {
  readonly at: string
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields?: Record<string, unknown>
}

export type AdvanceOutcome =
  | { outcome: 'next'; next: NextStep }
  | { outcome: 'retry'; delay: number; queue: QueueName }
  | { outcome: 'moved'; queue: QueueName }
  | { outcome: 'fence_lost' | 'parked' }
  /** `next`: the run that waited behind this one. */
  | { outcome: 'succeeded' | 'dead'; next: string | null; next_queue?: QueueName }

/**
 * Takes up to `limit` runs off a queue for `executor`. A claim that a crash of the database forgets is made again, under a
 * fence that nobody had before; so the claim does not wait for the disk.
 * @param schema the newest schema that this program knows
 * @throws Fault `worker.outdated` when the database needs a newer program
 */
export async function takeRuns(
  database: Database,
  { queue, limit, executor, schema }: { queue: QueueName; limit: number; executor: string; schema: number },
): Promise<Claim[]> {
  const { rows } = await database.pool.query<{ taken: Taken[] }>({
    name: 'runs_take',
    text: `select runs_take($1, $2, $3, $4) as taken from ${lazily}`,
    values: [queue, limit, executor, schema],
  })
  return rows[0]!.taken.map((taken) => {
    if (taken.outcome === 'claimed') return taken
    throw new Fault('refused', 'worker.outdated', `the database needs a program that knows schema ${taken.needs}, and this worker knows ${schema}; it takes no more runs until it is started again from a newer Castellan`)
  })
}

/** A step's result on its way into the ledger, with the lines that the step logged. */
export interface Advance {
  readonly claim: Pick<Claim, 'run' | 'fence'>
  readonly result: StepResult
  readonly log: readonly LogLine[]
}

/** Stores results of steps, hands their runs on, and says what comes next. In the order of `advances`. */
export async function advanceRuns(database: Database, advances: readonly Advance[]): Promise<AdvanceOutcome[]> {
  if (advances.length === 1) return [await advanceRun(database, advances[0]!)]
  const { rows } = await database.pool.query<{ place: number; outcome: AdvanceOutcome }>({
    name: 'runs_advance',
    text: 'select place, outcome from runs_advance($1, $2, $3, $4)',
    values: [
      advances.map(({ claim }) => claim.run), advances.map(({ claim }) => claim.fence),
      advances.map(({ result }) => JSON.stringify(result)), advances.map(({ log }) => JSON.stringify(log)),
    ],
  })
  return rows.sort((a, b) => a.place - b.place).map((row) => row.outcome)
}

/** As `advanceRuns`; a lone result costs the database less by itself. */
async function advanceRun(database: Database, { claim, result, log }: Advance): Promise<AdvanceOutcome> {
  const { rows } = await database.pool.query<{ outcome: AdvanceOutcome }>({
    name: 'run_advance',
    text: 'select run_advance($1, $2, $3, $4) as outcome',
    values: [claim.run, claim.fence, JSON.stringify(result), JSON.stringify(log)],
  })
  return rows[0]!.outcome
}

/** Gives back to the queue what an executor of this name held when it died. */
export async function recoverRuns(database: Database, executor: string): Promise<void> {
  await database.pool.query('select runs_recover($1)', [executor])
}

/** Gives one run back that this executor cannot finish. */
export async function releaseRun(database: Database, { run, fence }: Pick<Claim, 'run' | 'fence'>): Promise<void> {
  await database.pool.query('select run_release($1, $2)', [run, fence])
}

/** Says that the executor of these runs is alive. Returns those that are no longer its own: cancelled, replaced, or taken over. */
export async function touchRuns(database: Database, claims: readonly Pick<Claim, 'run' | 'fence'>[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ run: string }>('select runs_touch($1, $2) as run', [
    claims.map((claim) => claim.run), claims.map((claim) => claim.fence),
  ])
  return rows.map((row) => row.run)
}
