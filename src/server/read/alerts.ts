import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { AlertView } from '../api.ts'

/** What the audit says under this subject is found by its index. */
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
