import type { Generated } from 'kysely'
import type { Json, LabelColumns, Nullable, NullableTimestamp, Retained, Timestamp } from './schema-columns.ts'

export type AlertLevel = 'critical' | 'warning' | 'info'

export interface AlertRuleTable {
  kind: string
  level: AlertLevel
  more_than: number
  within: string
  critical_at: Nullable<number>
  quiet: Nullable<string>
  roles: string[]
}

export interface AlertSignalTable {
  kind: string
  subject: string
  reporter: string
  minute: Timestamp
  count: number
}

export interface AlertTable extends LabelColumns, Retained {
  id: Generated<string>
  kind: string
  subject: string
  level: AlertLevel
  state: 'open' | 'acknowledged' | 'closed'
  counts: Json<Record<string, number>>
  code: Nullable<string>
  times_opened: Generated<number>
  /** By job: the opening that a run was opened for last. */
  started: Generated<Record<string, string>>
  first_seen: Timestamp
  last_seen: Timestamp
  opened_at: Timestamp
  acknowledged_at: NullableTimestamp
  closed_at: NullableTimestamp
}
