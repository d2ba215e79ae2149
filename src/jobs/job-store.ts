import type { Database } from '../kernel/database/connect.ts'
import type { JobDefinition } from '../house/index.ts'
import type { MissedPolicy, Schedule } from './due-slots.ts'

/** A declared job as the scheduler needs it. */
export interface ScheduledJob {
  readonly name: string
  readonly digest: string
  readonly schedules: readonly Schedule[]
  readonly missed: MissedPolicy
  readonly graceMs: number
  readonly paused: boolean
  /** A template over `slot` and `job`. */
  readonly idempotencyKey: string | undefined
  /** Slots up to and including this one are answered for, or were never due. */
  readonly lastSlot: Date
}

/** Every declared job that has a schedule. */
export async function readScheduledJobs(database: Database): Promise<ScheduledJob[]> {
  const { rows } = await database.pool.query<{
    name: string
    digest: string
    missed: MissedPolicy
    paused: boolean
    definition: JobDefinition
    last_slot: Date
  }>(
    `select j.name, j.digest, j.missed, j.paused, d.definition,
       greatest(j.declared_at, (select max(slot) from occurrence o where o.job = j.name and o.origin = 'schedule')) as last_slot
     from job j join job_definition d on d.digest = j.digest
     where j.declared and jsonb_array_length(d.definition -> 'schedules') > 0
     order by j.name`,
  )
  return rows.map(({ definition, last_slot, ...row }) => ({
    ...row,
    schedules: definition.schedules,
    graceMs: definition.graceMs,
    idempotencyKey: definition.idempotencyKey,
    lastSlot: last_slot,
  }))
}
