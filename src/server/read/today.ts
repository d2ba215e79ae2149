import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { House } from '../../house/index.ts'
import type { IsolationView, NotRun, TodayView } from '../api.ts'
import { readAlerts } from './alerts.ts'
import { newestBrief } from './brief.ts'
import { privateWordsLeft, spentSince } from './calls.ts'
import { draftsForOperator, signOrigin, snoozedDrafts } from './drafts.ts'
import { readHouse } from './house.ts'
import { nextOfAll } from './jobs.ts'
import type { Fires } from './remember-fires.ts'
import { listRuns } from './runs.ts'
import { secretAlerts } from './secrets.ts'
import { alertsForOperator } from './security-alerts.ts'
import type { SecretReport } from '../../secrets/index.ts'

/** More than that is read where drafts are listed. */
const shownDrafts = 20

/** The morning page: what waits for the operator, what ran since midnight, what did not and why. */
export async function readToday(deps: { database: Database; house: House; isolation: IsolationView; fires: Fires; secrets: SecretReport }, now: Date): Promise<TodayView> {
  const { database, house, isolation, fires } = deps
  const { timezone } = house.settings
  const since = await midnight(database, now, timezone)
  const [{ drafts, count: draftCount }, snoozed, dead, runs, notRun, ran, spent, words, keptAside, next, { problems }, brief, events, security] = await Promise.all([
    draftsForOperator(database, now, signOrigin(house), shownDrafts),
    snoozedDrafts(database, now),
    listRuns(database, { state: 'dead', withoutTools: true, limit: 50 }),
    listRuns(database, { since, withoutTools: true, limit: 50 }),
    readNotRun(database, since),
    countRan(database, since),
    spentSince(database, since),
    privateWordsLeft(database, since),
    countKeptAside(database, since),
    nextOfAll(database, now, 5, fires),
    readHouse(database),
    newestBrief(database),
    readAlerts(database, since),
    alertsForOperator(database),
  ])
  const alerts = [...events, ...secretAlerts(deps.secrets, now)]
  const missed = notRun.filter((slots) => slots.state === 'missed')
  const needsYou = draftCount + dead.length + alerts.length + security.count + problems.filter((problem) => problem.severity === 'error').length
  return {
    state: needsYou > 0 ? 'needs_you' : 'calm',
    at: now.toISOString(),
    since: since.toISOString(),
    timezone,
    counts: {
      needs_you: needsYou,
      ran,
      missed: missed.reduce((sum, slots) => sum + slots.count, 0),
      cost_eur: spent,
      private_words_left: words,
    },
    missed_why: missed[0]?.reason ?? null,
    brief,
    drafts,
    more_drafts: draftCount - drafts.length,
    snoozed,
    dead,
    runs,
    not_run: notRun,
    next,
    kept_aside: keptAside,
    problems,
    alerts,
    security_alerts: security.alerts,
    more_security_alerts: security.count - security.alerts.length,
    isolation,
  }
}

/** The last midnight in a zone. PostgreSQL knows the zones' history; JavaScript's Date does not. */
export async function midnight(database: Database, now: Date, timezone: string): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`select date_trunc('day', ${now}::timestamptz, ${timezone}) as at`.execute(database.kysely)
  return rows[0]!.at
}

async function readNotRun(database: Database, since: Date): Promise<NotRun[]> {
  const { rows } = await sql<Omit<NotRun, 'first' | 'last'> & { first: Date; last: Date }>`
    select job, state, reason, count(*)::int as count, min(slot) as first, max(slot) as last from occurrence
    where state in ('missed', 'skipped', 'failed') and closed_at >= ${since} and job not like 'tool.%'
    group by job, state, reason order by count(*) desc, job limit 100`.execute(database.kysely)
  return rows.map((row) => ({ ...row, first: row.first.toISOString(), last: row.last.toISOString() }))
}

async function countRan(database: Database, since: Date): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from occurrence where state = 'ran' and closed_at >= ${since} and job not like 'tool.%'`.execute(database.kysely)
  return rows[0]!.count
}

async function countKeptAside(database: Database, since: Date): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from mail_message where label_level = 3 and stored_at >= ${since}`.execute(database.kysely)
  return rows[0]!.count
}
