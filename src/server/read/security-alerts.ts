import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import { countOpenAlerts, findAlerts, listAlerts, type Alert } from '../../health/index.ts'
import type { AlertCounts, SecurityAlert } from '../api.ts'

/** More than that is read where alerts are listed. */
const shown = 20

export async function listSecurityAlerts(database: Database, which: 'now' | 'all', limit: number): Promise<SecurityAlert[]> {
  return (await listAlerts(database, which, limit)).map(viewOf)
}

/** Those that nobody has acknowledged and that ask for somebody: not those that only inform. */
export async function alertsForOperator(database: Database): Promise<{ alerts: SecurityAlert[]; count: number }> {
  const [alerts, counts] = await Promise.all([listSecurityAlerts(database, 'now', 200), countSecurityAlerts(database)])
  return { alerts: alerts.filter(({ state, level }) => state === 'open' && level !== 'info').slice(0, shown), count: counts.critical + counts.warning }
}

export async function countSecurityAlerts(database: Database): Promise<AlertCounts> {
  const counts = { critical: 0, warning: 0, info: 0 }
  for (const { level, open } of await countOpenAlerts(database)) counts[level] += open
  return counts
}

/** The one that is meant by the beginning or end of its id. @throws Fault `alert.missing`, `alert.ambiguous` */
export async function readSecurityAlert(database: Database, id: string): Promise<SecurityAlert> {
  const [found, another] = await findAlerts(database, id.toLowerCase())
  if (found === undefined) throw new Fault('missing', 'alert.missing', `there is no alert "${id}"; \`castellan alerts list --all\` shows them`)
  if (another !== undefined) throw new Fault('conflict', 'alert.ambiguous', `more than one alert is meant by "${id}"; give more of its id`)
  return viewOf(found)
}

function viewOf({ opened_at: _, ...alert }: Alert): SecurityAlert {
  const told = (time: Date | null) => time?.toISOString() ?? null
  return {
    ...alert, first_seen: alert.first_seen.toISOString(), last_seen: alert.last_seen.toISOString(),
    acknowledged_at: told(alert.acknowledged_at), closed_at: told(alert.closed_at),
  }
}
