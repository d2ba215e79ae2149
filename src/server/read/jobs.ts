import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import { describeLevel } from '../../labels/index.ts'
import type { JobDefinition } from '../../house/index.ts'
import type { FireView, JobDetail, JobLine, JobSummary, OccurrenceView, RunSummary } from '../api.ts'
import { readStrips } from './job-strips.ts'
import { iso, labelView } from './label-view.ts'
import type { Fires } from './remember-fires.ts'

const shownFires = 5

/** The jobs of the house by name, each with its next fires and its last slots; those that only carry a single tool are not listed. */
export async function listJobs(database: Database, now: Date, fires: Fires): Promise<JobLine[]> {
  const [rows, strips] = await Promise.all([declaredJobs(database), readStrips(database)])
  return rows.map((row) => {
    const summary = jobSummary(row, now, fires)
    const next = summary.state === 'active' ? firesOf(summary.schedules, now, shownFires, fires) : []
    return { ...summary, fires: next, strip: strips.get(row.name) ?? [] }
  })
}

function declaredJobs(database: Database): Promise<JobRow[]> {
  return selectJobs(database).where('j.declared', '=', true).where('j.name', 'not like', 'tool.%').execute()
}

/** @throws Fault `job.missing` */
export async function findJob(database: Database, name: string, now: Date, fires: Fires): Promise<JobDetail> {
  const row = await readJob(database, name)
  const definition = row.definition as JobDefinition
  return {
    ...jobSummary(row, now, fires),
    digest: row.digest,
    overlap: row.overlap,
    missed: row.missed,
    tries: row.tries,
    reads_up_to: describeLevel(definition.readsUpTo),
    timeout_ms: definition.timeoutMs,
    grace_ms: definition.graceMs,
    steps: definition.steps.map((step) => ({ id: step.id, uses: step.uses, if: step.if ?? null, fallback: step.fallback ?? null })),
  }
}

/** The next fires over all schedules of a job. @throws Fault `job.missing` */
export async function jobFires(database: Database, name: string, now: Date, count: number, fires: Fires): Promise<FireView[]> {
  const row = await readJob(database, name)
  return firesOf((row.definition as JobDefinition).schedules, now, count, fires)
}

/** What became of the slots of a job, the newest first. @throws Fault `job.missing` */
export async function jobHistory(database: Database, name: string, limit: number): Promise<OccurrenceView[]> {
  const rows = await database.kysely
    .selectFrom('occurrence as o')
    .leftJoin('run as r', 'r.occurrence_id', 'o.id')
    .select(['o.id', 'o.job', 'o.slot', 'o.origin', 'o.state', 'o.reason', 'o.closed_at', 'r.id as run', 'r.state as run_state'])
    .where('o.job', '=', name)
    .orderBy('o.slot', 'desc')
    .limit(limit)
    .execute()
  if (rows.length === 0) await readJob(database, name)
  return rows.map((row) => ({
    id: row.id,
    job: row.job,
    slot: iso(row.slot),
    origin: row.origin,
    state: row.state as OccurrenceView['state'],
    reason: row.reason,
    run: row.run,
    run_state: row.run_state as RunSummary['state'] | null,
    closed_at: iso(row.closed_at),
  }))
}

/** The next fire of every active job, the earliest first. */
export async function nextOfAll(database: Database, now: Date, count: number, fires: Fires): Promise<{ job: string; at: string }[]> {
  const jobs = (await declaredJobs(database)).map((row) => jobSummary(row, now, fires))
  return jobs
    .flatMap((job) => (job.state === 'active' && job.next !== null ? [{ job: job.name, at: job.next }] : []))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .slice(0, count)
}

async function readJob(database: Database, name: string): Promise<JobRow> {
  const row = await selectJobs(database).where('j.name', '=', name).executeTakeFirst()
  if (row === undefined) throw new Fault('missing', 'job.missing', `there is no job "${name}"; \`castellan job list\` shows those that are declared`)
  return row
}

/**
 * The last run is asked for by a range of one job, in the order of the index of jobs: asked for by its name and the order of
 * ids, it is looked for among all runs, and the runs of a job that never ran are not found in the end.
 */
function selectJobs(database: Database) {
  return database.kysely
    .selectFrom('job as j')
    .innerJoin('job_definition as d', 'd.digest', 'j.digest')
    .leftJoinLateral(
      (inner) => inner.selectFrom('run').select(['id', 'state', 'opened_at']).whereRef('job', '>=', 'j.name').whereRef('job', '<=', 'j.name').orderBy('job').orderBy('id', 'desc').limit(1).as('r'),
      (join) => join.onTrue(),
    )
    .select(['j.name', 'j.digest', 'j.lane', 'j.overlap', 'j.missed', 'j.tries', 'j.declared', 'j.paused', 'd.definition'])
    .select(['j.label_level', 'j.label_integrity', 'j.label_lanes', 'r.id as run', 'r.state as run_state', 'r.opened_at as run_opened_at'])
    .orderBy('j.name')
}

type JobRow = Awaited<ReturnType<ReturnType<typeof selectJobs>['execute']>>[number]

function jobSummary(row: JobRow, now: Date, fires: Fires): JobSummary {
  const { summary, schedules } = row.definition as JobDefinition
  const state = !row.declared ? 'undeclared' : row.paused ? 'paused' : schedules.length === 0 ? 'manual' : 'active'
  return {
    name: row.name,
    summary: summary ?? '',
    state,
    lane: row.lane,
    label: labelView(row),
    schedules: schedules.map(({ cron, timezone }) => ({ cron, timezone })),
    next: state === 'active' ? (firesOf(schedules, now, 1, fires)[0]?.at ?? null) : null,
    last: row.run === null ? null : { run: row.run, state: row.run_state as RunSummary['state'], opened_at: iso(row.run_opened_at!) },
  }
}

function firesOf(schedules: readonly { cron: string; timezone: string }[], after: Date, count: number, fires: Fires): FireView[] {
  return schedules
    .flatMap(({ cron, timezone }) => fires(cron, timezone, after, count).map((at) => ({ at: at.toISOString(), cron, timezone })))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .slice(0, count)
}
