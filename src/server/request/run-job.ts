import { createHash } from 'node:crypto'
import type { OpenOutcome, OpenRequest } from '../../jobs/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import type { QueueName } from '../../runs/index.ts'
import type { OpenedRun } from '../api.ts'
import { isClosed } from '../read/runs.ts'
import { recordRequest } from './record-request.ts'

export interface RequestDeps {
  readonly database: Database
  readonly clock: Clock
  open(request: OpenRequest): Promise<OpenOutcome>
  /** Tells the worker of a queue that there is work; only a hint. */
  wake(queue: QueueName): void
}

export interface JobRequest {
  readonly job: string
  readonly input?: Record<string, unknown>
  readonly key?: string
}

const collisions = 20

/** Opens a run now, on the operator's request. @throws Fault `job.missing` */
export async function runJob(deps: RequestDeps, { job, input, key }: JobRequest): Promise<OpenedRun> {
  await mustBeDeclared(deps.database, job)
  const tool = job.startsWith('tool.')
  // a key may say as much as the input, and the audit holds no content
  await recordRequest(deps.database.pool, { request: tool ? 'tool.run' : 'job.run', subject: job, detail: { key: key === undefined ? null : createHash('sha256').update(key).digest('hex') } })
  const opened = await openAt(deps, { job, ...(input && { input }), ...(key !== undefined && { key }) })
  return { id: opened.run, job, outcome: opened.outcome, state: (await isClosed(deps.database, opened.run)).state }
}

/** A request without a key is always a new one: two in one millisecond get two slots. */
async function openAt(deps: RequestDeps, request: JobRequest): Promise<OpenOutcome> {
  const now = deps.clock.now().getTime()
  for (let shift = 0; ; shift++) {
    const opened = await deps.open({ ...request, slot: new Date(now + shift), origin: 'manual' })
    if (opened.outcome !== 'duplicate' || request.key !== undefined || shift === collisions) return opened
  }
}

/** Said here, because requests of the same moment are opened together and one that names no job would refuse them all. */
async function mustBeDeclared(database: Database, job: string): Promise<void> {
  const found = await database.kysely.selectFrom('job').select('name').where('name', '=', job).where('declared', '=', true).executeTakeFirst()
  if (found === undefined) throw new Fault('missing', 'job.missing', `there is no job "${job}"; \`castellan job list\` shows those that are declared`)
}
