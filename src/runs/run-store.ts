import type { PoolClient } from 'pg'
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
  /** Counts every start of the step, crashes included. */
  readonly attempt: number
  readonly failures: number
  /** How often an executor was gone before the step was done. */
  readonly crashes: number
}

export type QueueName = 'runs_open' | 'runs_private'

export type ClaimOutcome =
  | ({ outcome: 'claimed' } & Claim)
  | { outcome: 'gone'; state: string | null }
  | { outcome: 'dead'; next: string | null; next_queue: QueueName | null }
  | { outcome: 'not_cleared'; queue: QueueName }
  | { outcome: 'outdated'; needs: number }

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
  | { outcome: 'succeeded' | 'dead'; next: string | null; next_queue: QueueName | null }

/**
 * Takes each of these runs for `executor`, inside the caller's transaction. In the order of `runs`.
 * @param schema the newest schema that this program knows
 */
export async function claimRuns(client: PoolClient, runs: readonly string[], executor: string, schema: number): Promise<ClaimOutcome[]> {
  const { rows } = await client.query<{ run: string; claim: ClaimOutcome }>({
    name: 'run_claim',
    text: 'select run, run_claim(run, $2, $3) as claim from unnest($1::uuid[]) with ordinality as wanted(run, place) order by place',
    values: [runs, executor, schema],
  })
  return rows.map((row) => ({ ...row.claim, run: row.run }))
}

/** A step's result on its way into the ledger, with the lines that the step logged. */
export interface Advance {
  readonly claim: Pick<Claim, 'run' | 'fence'>
  readonly result: StepResult
  readonly log: readonly LogLine[]
}

/** Stores results of steps and learns what comes next, inside the caller's transaction. In the order of `advances`. */
export async function advanceRuns(client: PoolClient, advances: readonly Advance[]): Promise<AdvanceOutcome[]> {
  const { rows } = await client.query<{ outcome: AdvanceOutcome }>({
    name: 'run_advance',
    text: `select run_advance(run, fence, result, log) as outcome
      from unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::jsonb[]) with ordinality as done(run, fence, result, log, place) order by place`,
    values: [
      advances.map(({ claim }) => claim.run), advances.map(({ claim }) => claim.fence),
      advances.map(({ result }) => JSON.stringify(result)), advances.map(({ log }) => JSON.stringify(log)),
    ],
  })
  return rows.map((row) => row.outcome)
}

/** Runs that an executor of this name held when it died; they are queued again and must be enqueued by the caller. */
export async function recoverRuns(client: PoolClient, executor: string): Promise<{ run: string; queue: QueueName }[]> {
  const { rows } = await client.query<{ found: { run: string; queue: QueueName } }>(
    'select runs_recover($1) as found',
    [executor],
  )
  return rows.map((row) => row.found)
}

/** Of these claims, the runs whose fence is no longer ours: cancelled, replaced, or taken over. */
export async function lostFences(
  query: Pick<PoolClient, 'query'>,
  claims: readonly Pick<Claim, 'run' | 'fence'>[],
): Promise<string[]> {
  const { rows } = await query.query<{ run: string }>(
    `select held.run from unnest($1::uuid[], $2::uuid[]) as held(run, fence)
     where not exists (select 1 from run r where r.id = held.run and r.fence = held.fence)`,
    [claims.map((claim) => claim.run), claims.map((claim) => claim.fence)],
  )
  return rows.map((row) => row.run)
}
