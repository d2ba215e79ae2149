import { createHash, randomUUID } from 'node:crypto'
import type { JobDefinition, StepDefinition } from '../../src/house/index.ts'
import type { Database } from '../../src/kernel/database/connect.ts'

/** A job as the house would declare it, with one step unless told otherwise. */
export function jobDefinition(changes: Partial<JobDefinition> & { name: string }): JobDefinition {
  const definition = {
    summary: '', schedules: [], lane: 'private', label: { level: 1, integrity: 'trusted', lanes: [] }, readsUpTo: 2,
    timeoutMs: 60_000, tries: 3, overlap: 'allow', missed: 'skip', graceMs: 60_000, steps: [stepDefinition('only')], prompts: {},
    ...changes,
  } as const
  return { ...definition, digest: createHash('sha256').update(JSON.stringify(definition) + randomUUID()).digest('hex') }
}

export function stepDefinition(id: string, changes: Partial<StepDefinition> = {}): StepDefinition {
  return { id, uses: 'test.tool', with: {}, timeoutMs: 10_000, ...changes }
}

/** Declares lanes `open` and `private` and these jobs, as the owner. */
export async function declareJobs(owner: Database, jobs: readonly JobDefinition[], declaredAt = new Date()): Promise<void> {
  await owner.pool.query(
    `insert into lane (name, worker, cloud_clearance) values ('open', 'open', 1), ('private', 'private', -1) on conflict do nothing`,
  )
  for (const job of jobs) {
    await owner.pool.query('insert into job_definition (digest, job, definition) values ($1, $2, $3)', [job.digest, job.name, JSON.stringify(job)])
    await owner.pool.query(
      `insert into job (name, digest, lane, overlap, missed, tries, declared_at, label_level, label_integrity, label_lanes)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [job.name, job.digest, job.lane, job.overlap, job.missed, job.tries, declaredAt, job.label.level, job.label.integrity, [job.lane]],
    )
  }
}
