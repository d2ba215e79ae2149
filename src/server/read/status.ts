import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import type { House } from '../../house/index.ts'
import type { SecretReport } from '../../secrets/index.ts'
import type { HouseView, IsolationView, PartView, ProcessView, StatusView } from '../api.ts'
import { readAlerts } from './alerts.ts'
import { readAlertsSilent } from './alerts-silent.ts'
import { signOrigin } from './drafts.ts'
import { readFence } from './fence.ts'
import { readHouse } from './house.ts'
import { secretAlerts } from './secrets.ts'
import { countSecurityAlerts } from './security-alerts.ts'
import { unsignedMachines } from './upstreams.ts'
import { countWebhooks, type WebhookDeps } from './webhooks.ts'

/** The processes as `up` sees them. */
export async function readProcesses(database: Database): Promise<ProcessView[]> {
  const rows = await database.kysely.selectFrom('process').selectAll().orderBy('name').execute()
  return rows.map((row) => ({ ...row, since: row.since.toISOString() }))
}

export interface WholeDeps extends Pick<WebhookDeps, 'database' | 'clock' | 'webhooks'> {
  readonly house: House
  readonly isolation: IsolationView
  readonly secrets: SecretReport
}

/** What runs, how far apart, on which house and database, and how much is waiting. */
export async function readStatus(deps: WholeDeps, parts: readonly PartView[]): Promise<StatusView> {
  const { database, house, isolation } = deps
  const [supervisor, processes, runs, webhooks, loaded, version, unsigned, alertsOpen, alertsSilent, fence] = await Promise.all([
    database.kysely.selectFrom('supervisor').select(['pid', 'started_at', 'version']).executeTakeFirst(),
    readProcesses(database),
    countRuns(database),
    countWebhooks({ ...deps, house: () => house }),
    readHouse(database),
    readDatabaseVersion(database),
    unsignedMachines(database, house),
    countSecurityAlerts(database),
    readAlertsSilent(database, house),
    readFence(database, deps.clock.now()),
  ])
  if (supervisor === undefined) throw new Fault('unavailable', 'up.starting', 'Castellan is still starting; try again in a moment')
  return {
    state: parts.every((part) => part.ready) && processes.every((one) => one.state === 'ready') ? 'ready' : 'not_ready',
    version: supervisor.version,
    started_at: supervisor.started_at.toISOString(),
    pid: supervisor.pid,
    house: { folder: house.folder, name: house.settings.name, ...loaded },
    isolation,
    database: version,
    parts: [...parts],
    processes,
    webhooks,
    runs,
    alerts_open: alertsOpen,
    alerts_silent: alertsSilent,
    unsigned_machines: unsigned,
    fence: fence === undefined ? null : { at: fence.at.toISOString(), why: fence.why, waiting: fence.waiting },
  }
}

/** The house as a whole, with what the pages need to know of it. */
export async function readWhole(deps: WholeDeps, parts: readonly PartView[], since: Date): Promise<HouseView> {
  const [status, alerts] = await Promise.all([readStatus(deps, parts), readAlerts(deps.database, since)])
  return { ...status, sign_origin: signOrigin(deps.house), timezone: deps.house.settings.timezone, alerts: [...alerts, ...secretAlerts(deps.secrets, deps.clock.now())] }
}

async function countRuns(database: Database): Promise<StatusView['runs']> {
  const { rows } = await sql<StatusView['runs']>`
    select
      count(*) filter (where state = 'queued' and queue_of(lane, label_level, label_lanes) = 'runs_open')::int as queued_open,
      count(*) filter (where state = 'queued' and queue_of(lane, label_level, label_lanes) = 'runs_private')::int as queued_private,
      count(*) filter (where state = 'running')::int as running,
      count(*) filter (where state = 'parked')::int as parked,
      count(*) filter (where state = 'waiting')::int as waiting
    from run where closed_at is null`.execute(database.kysely)
  return rows[0]!
}

async function readDatabaseVersion(database: Database): Promise<StatusView['database']> {
  const { rows } = await sql<StatusView['database']>`
    select current_setting('server_version') as version, (select max(version) from schema_meta) as schema`.execute(database.kysely)
  return rows[0]!
}
