import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { AlertView } from '../api.ts'

/** Locks are among the events that are found by kind and subject, `audit_event_named`. */
export const dashboardSubject = 'dashboard'

/** What the operator should know of, the newest first. */
export async function readAlerts(database: Database, since: Date): Promise<AlertView[]> {
  const { rows } = await sql<{ at: Date; failures: string }>`
    select at, detail ->> 'failures' as failures from audit_event
    where subject = ${dashboardSubject} and kind = 'signin.locked' and at >= ${since} order by at desc limit 20`.execute(database.kysely)
  return rows.map(({ at, failures }) => ({
    kind: 'signin.locked',
    at: at.toISOString(),
    what: `somebody on this machine tried ${failures} wrong sign-in codes within 5 minutes; signing in was locked`,
  }))
}
