import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { BriefView } from '../api.ts'
import { labelView, type LabelRow } from './label-view.ts'

/** A step of this name makes the brief: its output has a `text`. */
const stepName = 'brief'
/** How far back a job is looked through for a run that got so far. */
const lastRuns = 30

/** The newest brief that any job of the house made. The runs of a job are a range of its index, as in `jobs.ts`. */
export async function newestBrief(database: Database): Promise<BriefView | null> {
  const { rows } = await sql<{ text: string; made_at: Date; job: string; run: string; made_without_model: boolean } & LabelRow>`
    select b.text, b.made_at, j.name as job, b.run, b.made_without_model, b.label_level, b.label_integrity, b.label_lanes
    from job j
    join job_definition d on d.digest = j.digest and d.definition -> 'steps' @> ${JSON.stringify([{ id: stepName }])}::jsonb
    cross join lateral (
      select s.output ->> 'text' as text, s.closed_at as made_at, r.id as run, r.made_without_model, s.label_level, s.label_integrity, s.label_lanes
      from (select id, job, made_without_model from run where job >= j.name and job <= j.name order by job, id desc limit ${lastRuns}) r
      join step s on s.run_id = r.id and s.id = ${stepName} and s.state = 'succeeded' and jsonb_typeof(s.output -> 'text') = 'string'
      order by r.job, r.id desc limit 1) b
    where j.declared order by b.made_at desc limit 1`.execute(database.kysely)
  const row = rows[0]
  if (row === undefined) return null
  return { text: row.text, made_at: row.made_at.toISOString(), job: row.job, run: row.run, label: labelView(row), made_without_model: row.made_without_model }
}
