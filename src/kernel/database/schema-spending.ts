import type { Generated, ColumnType } from 'kysely'
import type { GeneratedTimestamp, LabelColumns, NullableTimestamp, Retained, Timestamp } from './schema-columns.ts'

export interface ExchangeRateTable extends LabelColumns, Retained {
  /** ISO, in the time zone of the house. */
  day: ColumnType<string, string, never>
  eur_per_usd: number
  recorded_at: GeneratedTimestamp
}

export interface BudgetAccountTable extends LabelColumns, Retained {
  ceiling: string
  starts_at: Timestamp
  ends_at: Timestamp
  limit_eur: number
  counted_eur: Generated<number>
  alerted: Generated<0 | 50 | 80 | 100>
}

export interface BudgetBlockTable extends LabelColumns, Retained {
  id: string
  gate: 'local' | 'cloud'
  amount_eur: number
  state: Generated<'open' | 'closed'>
  opened_at: GeneratedTimestamp
  closed_at: NullableTimestamp
}

export interface BudgetBlockAccountTable {
  block_id: string
  ceiling: string
  starts_at: Timestamp
}

export interface BudgetAlertTable extends LabelColumns, Retained {
  ceiling: string
  starts_at: Timestamp
  percent: 50 | 80 | 100
  spent_eur: number
  limit_eur: number
  at: GeneratedTimestamp
}
