import type { Database } from '../kernel/database/connect.ts'
import { wordsOf } from './alert-kinds.ts'

export interface Alert {
  readonly id: string
  readonly kind: string
  readonly level: 'critical' | 'warning' | 'info'
  readonly state: 'open' | 'acknowledged' | 'closed'
  readonly subject: string
  readonly what: string
  readonly mend: string
  readonly code: string | null
  readonly count: number
  readonly times_opened: number
  readonly first_seen: Date
  readonly last_seen: Date
  readonly opened_at: Date
  readonly acknowledged_at: Date | null
  readonly closed_at: Date | null
}

// plain text: every process loads this file, and most of them build no SQL otherwise
const columns = `
  id, kind, level, state, subject, code, times_opened, first_seen, last_seen, opened_at, acknowledged_at, closed_at,
  (select max(value::bigint) from jsonb_each_text(counts)) as count`
/** What waits first, the gravest of it, then the newest. */
const order = `order by array_position('{open,acknowledged,closed}', state), array_position('{critical,warning,info}', level), last_seen desc, id`

/** As the server. `now`: those that are not over; `all`: those that are as well, as long as they are kept. */
export async function listAlerts({ pool }: Pick<Database, 'pool'>, which: 'now' | 'all', limit: number): Promise<Alert[]> {
  const { rows } = await pool.query<Omit<Alert, 'what' | 'mend'>>(`select ${columns} from alert where $1 or closed_at is null ${order} limit $2`, [which === 'all', limit])
  return rows.map(withWords)
}

/** Those that are meant by the beginning or the end of an id. */
export async function findAlerts({ pool }: Pick<Database, 'pool'>, id: string): Promise<Alert[]> {
  const { rows } = await pool.query<Omit<Alert, 'what' | 'mend'>>(
    `select ${columns} from alert where starts_with(id::text, $1) or right(id::text, length($1)) = $1 ${order} limit 10`, [id],
  )
  return rows.map(withWords)
}

export interface AlertCount {
  readonly kind: string
  readonly level: Alert['level']
  readonly open: number
}

/** How many nobody has acknowledged yet, by kind and level. */
export async function countOpenAlerts({ pool }: Pick<Database, 'pool'>): Promise<AlertCount[]> {
  const { rows } = await pool.query<AlertCount>(`select kind, level, count(*)::int as open from alert where state = 'open' group by kind, level order by kind, level`)
  return rows
}

/** Closes what has been silent long enough; returns how many. */
export async function settleAlerts(database: Pick<Database, 'pool'>, now: Date): Promise<number> {
  const { rows } = await database.pool.query<{ closed: number }>('select alerts_settle($1) as closed', [now])
  return rows[0]!.closed
}

function withWords(row: Omit<Alert, 'what' | 'mend'>): Alert {
  return { ...row, ...wordsOf(row.kind, row.subject) }
}
