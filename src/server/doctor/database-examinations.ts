import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { readAlerts } from '../read/alerts.ts'
import { privateWordsLeft } from '../read/calls.ts'
import { readHouse } from '../read/house.ts'
import { readProcesses } from '../read/status.ts'
import type { Examination, Finding } from './doctor.ts'

const lateRunMinutes = 10
const lateSealSeconds = 30
const clockDriftMs = 2_000
const dayMs = 86_400_000

export interface DatabaseDeps {
  readonly database: Database
  readonly clock: Clock
  /** Throws when the schema is not one that this program can work with. */
  checkSchema(database: Database): Promise<void>
}

/** What the database can tell about itself and about the house. */
export function databaseExaminations({ database, clock, checkSchema }: DatabaseDeps): Examination[] {
  return [
    { id: 'database', mend: 'castellan down && castellan up', look: () => databaseAnswers(database) },
    { id: 'migrations', mend: 'castellan down && castellan up', look: () => migrations(database, checkSchema) },
    { id: 'processes', mend: 'castellan down && castellan up', look: () => processes(database) },
    { id: 'house', mend: 'castellan config check', look: () => house(database) },
    { id: 'clock', mend: 'timedatectl set-ntp true', look: () => clockDrift(database, clock) },
    { id: 'late-jobs', mend: 'castellan status', look: () => lateRuns(database) },
    { id: 'dead-runs', mend: 'castellan dead list', look: () => deadRuns(database) },
    { id: 'audit', mend: 'castellan audit verify', look: () => auditTail(database) },
    { id: 'private-words', mend: 'castellan model list', look: () => privateWords(database) },
    { id: 'signin', mend: 'castellan session list', look: () => lockedSignin(database, clock) },
    { id: 'keys', mend: 'castellan operator enroll --passkey', look: () => demonstrationKey(database) },
  ]
}

async function databaseAnswers(database: Database): Promise<Finding> {
  const { rows } = await sql<{ version: string; size: string }>`
    select current_setting('server_version') as version, pg_size_pretty(pg_database_size(current_database())) as size`.execute(database.kysely)
  return { status: 'ok', what: `PostgreSQL ${rows[0]!.version}, ${rows[0]!.size}` }
}

async function migrations(database: Database, checkSchema: (database: Database) => Promise<void>): Promise<Finding> {
  await checkSchema(database)
  return { status: 'ok', what: 'the schema is the one that this program needs' }
}

async function processes(database: Database): Promise<Finding[]> {
  const known = await readProcesses(database)
  if (known.length === 0) return [{ status: 'fail', what: 'no process is recorded' }]
  const troubled = known.filter((one) => one.state !== 'ready')
  if (troubled.length === 0) return [{ status: 'ok', what: `${known.length} of ${known.length} ready` }]
  return troubled.map((one) => ({
    status: one.state === 'starting' ? 'warn' : 'fail',
    what: `${one.name} is ${one.state} after ${one.restarts} restarts${one.reason ? `: ${one.reason}` : ''}`,
  }))
}

async function house(database: Database): Promise<Finding | Finding[]> {
  const { digest, problems } = await readHouse(database)
  if (problems.length === 0) return { status: 'ok', what: `no problems${digest === null ? '' : `, digest ${digest.slice(0, 12)}`}` }
  return problems.map(({ file, line, column, severity, what }) => ({
    status: severity === 'error' ? 'fail' : 'warn',
    what: `${file}:${line}:${column} ${what}`,
  }))
}

async function clockDrift(database: Database, clock: Clock): Promise<Finding> {
  const before = clock.now().getTime()
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(database.kysely)
  const drift = Math.round(rows[0]!.now.getTime() - (before + clock.now().getTime()) / 2)
  return Math.abs(drift) <= clockDriftMs
    ? { status: 'ok', what: `${drift} ms from the database's` }
    : { status: 'fail', what: `${drift} ms from the database's: expiries and schedules cannot be trusted` }
}

async function lateRuns(database: Database): Promise<Finding> {
  const { rows } = await sql<{ late: number; oldest: Date | null }>`
    select count(*)::int as late, min(coalesce(not_before, claimed_at, opened_at)) as oldest from run
    where closed_at is null and state = 'queued' and coalesce(not_before, claimed_at, opened_at) < clock_timestamp() - make_interval(mins => ${lateRunMinutes})`
    .execute(database.kysely)
  const { late, oldest } = rows[0]!
  if (late === 0) return { status: 'ok', what: 'no run waits longer than it should' }
  return { status: 'fail', what: `${late} run(s) queued and not begun for more than ${lateRunMinutes} minutes, the oldest since ${oldest!.toISOString()}` }
}

async function deadRuns(database: Database): Promise<Finding> {
  const { rows } = await sql<{ dead: number }>`select count(*)::int as dead from run
    where state = 'dead' and closed_at is not null and error is not null and job not like 'tool.%'`.execute(database.kysely)
  const { dead } = rows[0]!
  return dead === 0 ? { status: 'ok', what: 'none' } : { status: 'warn', what: `${dead} run(s) gave up and wait for you` }
}

/** The releaser seals each second; a tail that grows old means that it does not. */
async function auditTail(database: Database): Promise<Finding> {
  const { rows } = await sql<{ tail: number; age: number | null; seals: number }>`
    with sealed as (select upto_xid, upto_id from audit_seal order by batch desc limit 1)
    select count(*)::int as tail, extract(epoch from clock_timestamp() - min(at))::float8 as age, (select count(*)::int from audit_seal) as seals
    from audit_event e where not exists (select 1 from sealed s where (e.xid, e.id) <= (s.upto_xid, s.upto_id))`.execute(database.kysely)
  const { tail, age, seals } = rows[0]!
  if (age !== null && age > lateSealSeconds) return { status: 'fail', what: `${tail} event(s) are not sealed, the oldest for ${Math.round(age)} s: the releaser does not seal` }
  return { status: 'ok', what: `sealed ${seals} times; ${tail} event(s) since the last seal` }
}

async function privateWords(database: Database): Promise<Finding> {
  const words = await privateWordsLeft(database)
  return words === 0
    ? { status: 'ok', what: '0 left, by every model call on record' }
    : { status: 'fail', what: `${words} word(s) above their clearance reached a cloud model` }
}

/** Wrong codes come from programs of this machine: no page elsewhere can try one. */
async function lockedSignin(database: Database, clock: Clock): Promise<Finding> {
  const alerts = await readAlerts(database, new Date(clock.now().getTime() - dayMs))
  if (alerts.length === 0) return { status: 'ok', what: 'nobody guessed at sign-in codes within a day' }
  return { status: 'warn', what: `${alerts[0]!.what} at ${alerts[0]!.at}${alerts.length > 1 ? `, and ${alerts.length - 1} times before` : ''}` }
}

async function demonstrationKey(database: Database): Promise<Finding> {
  const { rows } = await sql<{ operator: number; demonstration: number }>`
    with key as (
      select distinct on (subject) kind, detail ->> 'scope' as scope from audit_event
      where kind in ('key.enrolled', 'key.revoked') order by subject, at desc, id desc
    )
    select count(*) filter (where scope = 'operator')::int as operator, count(*) filter (where scope = 'demonstration')::int as demonstration
    from key where kind = 'key.enrolled'`.execute(database.kysely)
  const { operator, demonstration } = rows[0]!
  if (operator > 0) return { status: 'ok', what: `${operator} key(s) of the operator enrolled` }
  if (demonstration > 0) return { status: 'warn', what: 'only the demonstration key is enrolled: it needs no passphrase and signs for files alone' }
  return { status: 'warn', what: 'no key is enrolled, so no draft can be approved' }
}
