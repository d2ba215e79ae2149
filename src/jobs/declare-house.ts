import type { PoolClient } from 'pg'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import { newId } from '../kernel/ids.ts'
import type { House, JobDefinition, Problem } from '../house/index.ts'
import type { CloudClearance } from '../labels/index.ts'
import { slotsBetween } from './due-slots.ts'
import { readScheduledJobs } from './job-store.ts'

/**
 * Makes a validated house the one that runs: lanes, job definitions, jobs. Owner only.
 * Definitions are kept for the runs that pinned them; jobs that are gone are no longer due.
 */
export async function declareHouse(
  deps: { database: Database; clock: Clock },
  house: House,
  jobs: readonly JobDefinition[],
): Promise<void> {
  const changed = await slotsOfChangedSchedules(deps, jobs)
  await deps.database.transaction(async (client) => {
    await client.query('lock table house in exclusive mode')
    await client.query('update house set current = false where current')
    await client.query(
      `insert into house (digest, settings, current) values ($1, $2, true)
       on conflict (digest) do update set current = true, loaded_at = clock_timestamp()`,
      [house.digest, JSON.stringify(house)],
    )
    await declareLanes(client, house)
    for (const { job, slots } of changed) {
      await client.query('select occurrences_close($1, $2, $3, $4, $5)', [
        job, slots.map(() => newId()), slots, 'missed', 'Castellan was not running at that time, and the schedule was changed before it started again',
      ])
    }
    for (const job of jobs) await declareJob(client, job, deps.clock.now())
    await client.query('update job set declared = false where declared and not (name = any ($1))', [jobs.map((job) => job.name)])
  })
}

/** Keeps the last good house running, and says what is wrong with the new one. */
export async function recordProblems(database: Database, problems: readonly Problem[]): Promise<void> {
  await database.pool.query('update house set problems = $1 where current', [JSON.stringify(problems)])
}

/** The house that ran last, for a start on a broken one. */
export async function lastGoodHouse(database: Database): Promise<House | undefined> {
  const { rows } = await database.pool.query<{ settings: House }>('select settings from house where current')
  const house = rows[0]?.settings
  // loaded before P2 took a signature, it may still say 2
  return house && { ...house, lanes: house.lanes.map((lane) => ({ ...lane, cloudClearance: Math.min(lane.cloudClearance, 1) as CloudClearance })) }
}

async function declareLanes(client: PoolClient, house: House): Promise<void> {
  for (const lane of house.lanes) {
    await client.query(
      `insert into lane (name, worker, cloud_clearance, providers, redacts) values ($1, $2, $3, $4, $5)
       on conflict (name) do update set worker = excluded.worker, cloud_clearance = excluded.cloud_clearance, providers = excluded.providers, redacts = excluded.redacts`,
      [lane.name, lane.worker, lane.cloudClearance, lane.providers, lane.redacts ?? false],
    )
  }
  // what came through a lane that is no longer declared stays in the house
  await client.query(
    `update lane set worker = 'private', cloud_clearance = -1, providers = '{}', redacts = false where not (name = any ($1))`,
    [house.lanes.map((lane) => lane.name)],
  )
}

async function declareJob(client: PoolClient, job: JobDefinition, now: Date): Promise<void> {
  await client.query(
    'insert into job_definition (digest, job, definition) values ($1, $2, $3) on conflict (digest) do nothing',
    [job.digest, job.name, JSON.stringify(job)],
  )
  await client.query(
    `insert into job (name, digest, lane, overlap, missed, tries, declared_at, label_level, label_integrity, label_lanes)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, lanes_join(array[$3::text], $11))
     on conflict (name) do update set
       declared_at = case
         when not job.declared then $10
         when (select definition -> 'schedules' from job_definition where digest = job.digest)
              <> (select definition -> 'schedules' from job_definition where digest = excluded.digest) then $10
         else job.declared_at end,
       digest = excluded.digest, lane = excluded.lane, overlap = excluded.overlap, missed = excluded.missed, tries = excluded.tries,
       label_level = excluded.label_level, label_integrity = excluded.label_integrity, label_lanes = excluded.label_lanes, declared = true`,
    [
      job.name, job.digest, job.lane, job.overlap, job.missed, job.tries, job.since ? new Date(job.since) : now,
      job.label.level, job.label.integrity, now, job.label.lanes,
    ],
  )
}

/** Slots that the schedules until now had, and that nobody answered for: they are recorded before the new schedules count. */
async function slotsOfChangedSchedules(
  { database, clock }: { database: Database; clock: Clock },
  jobs: readonly JobDefinition[],
): Promise<{ job: string; slots: Date[] }[]> {
  const declared = new Map(jobs.map((job) => [job.name, JSON.stringify(job.schedules)]))
  return (await readScheduledJobs(database))
    .filter((job) => declared.get(job.name) !== JSON.stringify(job.schedules))
    .map((job) => ({ job: job.name, slots: slotsBetween(job.schedules, job.lastSlot, clock.now()) }))
    .filter(({ slots }) => slots.length > 0)
}
