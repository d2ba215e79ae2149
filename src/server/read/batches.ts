import { sql } from 'kysely'
import { Fault } from '../../kernel/fault.ts'
import type { Database } from '../../kernel/database/connect.ts'
import type { BatchView } from '../api.ts'
import { labelView } from './label-view.ts'

interface BatchLine extends Omit<BatchView, 'opened_at' | 'window_ends_at' | 'closed_at' | 'label'> {
  readonly opened_at: Date
  readonly window_ends_at: Date
  readonly closed_at: Date | null
  readonly label_level: number
  readonly label_integrity: string
  readonly label_lanes: string[]
}

/** Batches of programs, the newest first: how far they are and what they have cost. Nothing of what they ask. */
export async function listBatches(database: Database, limit: number): Promise<BatchView[]> {
  const { rows } = await sql<BatchLine>`
    select 'batch_' || replace(b.id::text, '-', '') as id, b.state, k.name as key, b.gate, b.endpoint, b.task, b.total, b.answered, b.failed,
      count(c.id)::int as calls, case when bool_or(c.id is not null and c.cost_eur is null) then null else coalesce(sum(c.cost_eur), 0)::float8 end as cost_eur,
      b.opened_at, b.window_ends_at, b.closed_at, b.label_level, b.label_integrity, b.label_lanes
    from (
      select id, key_id, gate, endpoint, task, state, total, answered, failed, opened_at, window_ends_at, closed_at, label_level, label_integrity, label_lanes
      from batch order by opened_at desc, id desc limit ${limit}
    ) as b
    join client_key k on k.id = b.key_id left join model_call c on c.batch_id = b.id
    group by b.id, k.name, b.gate, b.endpoint, b.task, b.state, b.total, b.answered, b.failed, b.opened_at, b.window_ends_at, b.closed_at, b.label_level, b.label_integrity, b.label_lanes
    order by b.opened_at desc, b.id desc`.execute(database.kysely)
  return rows.map(({ label_level, label_integrity, label_lanes, opened_at, window_ends_at, closed_at, ...batch }) => ({
    ...batch, opened_at: opened_at.toISOString(), window_ends_at: window_ends_at.toISOString(), closed_at: closed_at?.toISOString() ?? null,
    label: labelView({ label_level, label_integrity, label_lanes }),
  }))
}

/** The one batch that this text means: its id, or at least four digits of its beginning or end. @throws Fault `batch.missing`, `batch.ambiguous` */
export async function resolveBatch(database: Database, text: string): Promise<string> {
  const digits = text.replace(/^batch_/, '').replaceAll('-', '')
  if (!/^[0-9a-f]{4,32}$/.test(digits)) throw missing(text)
  const { rows } = await sql<{ id: string }>`
    select id from batch where replace(id::text, '-', '') like ${`${digits}%`} or replace(id::text, '-', '') like ${`%${digits}`} limit 2`.execute(database.kysely)
  if (rows.length > 1) throw new Fault('invalid', 'batch.ambiguous', `"${text}" is the beginning or end of several batches; write more of its id`)
  if (!rows[0]) throw missing(text)
  return rows[0].id
}

function missing(text: string): Fault {
  return new Fault('missing', 'batch.missing', `there is no batch "${text}"; \`castellan model batches\` shows the latest`)
}
