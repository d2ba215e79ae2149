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
  const budgets = await sql<{ at: Date; ceiling: string; percent: number; spent: number; limit: number }>`
    select distinct on (ceiling, starts_at) at, ceiling, percent, spent_eur::float8 as spent, limit_eur::float8 as limit
    from budget_alert where at >= ${since} order by ceiling, starts_at, percent desc limit 20`.execute(database.kysely)
  return [...rows.map(lockAlert), ...budgets.rows.map(budgetAlert)].toSorted((a, b) => (a.at < b.at ? 1 : -1))
}

function lockAlert({ at, failures, subject }: { at: Date; failures: string; subject: string }): AlertView {
  return {
    kind: 'signin.locked',
    at: at.toISOString(),
    what: subject === dashboardSubject
      ? `somebody on this machine tried ${failures} wrong sign-in codes within 5 minutes; signing in was locked`
      : `somebody tried ${failures} times in vain to get into the signing page within 5 minutes; it was locked`,
  }
}

/** Of each ceiling the highest mark. */
function budgetAlert({ at, ceiling, percent, spent, limit }: { at: Date; ceiling: string; percent: number; spent: number; limit: number }): AlertView {
  return {
    kind: 'budget.alert',
    at: at.toISOString(),
    what: percent === 100
      ? `the budget "${ceiling}" has no room left (EUR ${spent.toFixed(2)} of EUR ${limit.toFixed(2)} spent); models of your own machines go on, and castellan spend says more`
      : `${percent} % of the budget "${ceiling}" are spent (EUR ${spent.toFixed(2)} of EUR ${limit.toFixed(2)})`,
  }
}
