import { sql } from 'kysely'
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

const columns = sql`
  id, kind, level, state, subject, code, times_opened, first_seen, last_seen, opened_at, acknowledged_at, closed_at,
  (select max(value::bigint) from jsonb_each_text(counts)) as count`
/** What waits first, the gravest of it, then the newest. */
const order = sql`order by array_position('{open,acknowledged,closed}', state), array_position('{critical,warning,info}', level), last_seen desc, id`

/** As the server. `now`: those that are not over; `all`: those that are as well, as long as they are kept. */
export async function listAlerts(database: Database, which: 'now' | 'all', limit: number): Promise<Alert[]> {
  const { rows } = await sql<Omit<Alert, 'what' | 'mend'>>`
    select ${columns} from alert where ${which === 'all'} or closed_at is null ${order} limit ${limit}`.execute(database.kysely)
  return rows.map(withWords)
}

/** Those that are meant by the beginning or the end of an id. */
export async function findAlerts(database: Database, id: string): Promise<Alert[]> {
  const { rows } = await sql<Omit<Alert, 'what' | 'mend'>>`
    select ${columns} from alert where starts_with(id::text, ${id}) or right(id::text, length(${id})) = ${id} ${order} limit 10`.execute(database.kysely)
  return rows.map(withWords)
}

export interface AlertCount {
  readonly kind: string
  readonly level: Alert['level']
  readonly open: number
}

/** How many nobody has acknowledged yet, by kind and level. */
export async function countOpenAlerts(database: Database): Promise<AlertCount[]> {
  const { rows } = await sql<AlertCount>`
    select kind, level, count(*)::int as open from alert where state = 'open' group by kind, level order by kind, level`.execute(database.kysely)
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
