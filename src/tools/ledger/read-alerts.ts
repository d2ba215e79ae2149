import type { Database } from '../../kernel/database/connect.ts'
import type { LabelRow } from '../../labels/index.ts'
import type { AlertQuery, AlertRow } from './ledger.ts'

interface StoredAlert extends LabelRow, Pick<AlertRow, 'id' | 'kind' | 'level' | 'state' | 'subject'> {
  /** bigint, as text. */
  readonly count: string
  readonly times_opened: number
  readonly opened_at: Date
  readonly last_seen: Date
  readonly closed_at: Date | null
}

/** The rows that the worker's role may see, up to a level, the gravest first. */
export async function readAlerts({ pool }: Pick<Database, 'pool'>, upTo: number, { since, limit, ids }: AlertQuery): Promise<StoredAlert[]> {
  const { rows } = await pool.query<StoredAlert>(
    `select id, kind, level, state, subject, times_opened, opened_at, last_seen, closed_at, label_level, label_integrity, label_lanes,
       coalesce((select max(value::bigint) from jsonb_each_text(counts)), 0) as count
     from alert where label_level <= $1 and case when $2::uuid[] is null then closed_at is null or last_seen >= $3 else id = any ($2) end
     order by array_position('{critical,warning,info}', level), last_seen desc, id limit $4`,
    [upTo, ids ?? null, since, limit],
  )
  return rows
}

export function alertOf({ id, kind, level, state, subject, count, times_opened, opened_at, last_seen, closed_at }: StoredAlert): AlertRow {
  return { id, kind, level, state, subject, count: Number(count), timesOpened: times_opened, openedAt: opened_at, lastSeen: last_seen, closedAt: closed_at }
}
