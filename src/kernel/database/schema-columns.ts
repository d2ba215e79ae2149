import type { ColumnType, Generated, JSONColumnType } from 'kysely'

/** jsonb: read as a value, written as JSON text (node-postgres would make a PostgreSQL array of a JavaScript array). */
export type Json<T = unknown> = ColumnType<T, string, string>
export type GeneratedJson<T = unknown> = ColumnType<T, string | undefined, string>
export type JsonObject = JSONColumnType<Record<string, unknown>>
export type NullableJson<T = unknown> = ColumnType<T | null, string | null | undefined, string | null>

/** timestamptz: a Date, in milliseconds; the microseconds that PostgreSQL keeps are cut off. */
export type Timestamp = ColumnType<Date, Date | string, Date | string>
export type NullableTimestamp = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
export type GeneratedTimestamp = ColumnType<Date, Date | string | undefined, Date | string>

export type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>

/** The label of a row; without one it is P3, untrusted, of no lane. */
export interface LabelColumns {
  label_level: Generated<0 | 1 | 2 | 3>
  label_integrity: Generated<'trusted' | 'untrusted'>
  label_lanes: Generated<string[]>
}

export interface Retained {
  /** The sweep removes the row, or what is private in it, after this moment; null keeps it. */
  retain_until: NullableTimestamp
}
