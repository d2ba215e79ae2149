import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { AlertView } from '../api.ts'

/** Whose sign-in was locked, as the audit names it. */
export const dashboardSubject = 'dashboard'

/** What the operator should know of, the newest first. Locks are among the events that are found by kind and subject, `audit_event_named`. */
export async function readAlerts(database: Database, since: Date): Promise<AlertView[]> {
  const { rows } = await sql<{ at: Date; failures: string; subject: string }>`
    select at, subject, detail ->> 'failures' as failures from audit_event
    where kind = 'signin.locked' and at >= ${since} order by at desc limit 20`.execute(database.kysely)
  return rows.map(({ at, failures, subject }) => ({
    kind: 'signin.locked',
    at: at.toISOString(),
    what: subject === dashboardSubject
      ? `somebody on this machine tried ${failures} wrong sign-in codes within 5 minutes; signing in was locked`
      : `somebody tried ${failures} times in vain to get into the signing page within 5 minutes; it was locked`,
  }))
}
