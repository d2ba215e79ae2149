import type { Generated } from 'kysely'
import type { LabelColumns, Nullable, NullableJson, NullableTimestamp, Retained, Timestamp } from './schema-columns.ts'

type Gate = 'local' | 'cloud'

export interface BatchTable extends LabelColumns, Retained {
  id: string
  key_id: string
  key_hash: Buffer
  gate: Gate
  input_file_id: string
  endpoint: string
  task: Nullable<string>
  metadata: NullableJson<Record<string, string>>
  state: Generated<'validating' | 'in_progress' | 'finalizing' | 'cancelling' | 'completed' | 'failed' | 'expired' | 'cancelled'>
  errors: NullableJson
  models: Generated<string[]>
  total: Generated<number>
  answered: Generated<number>
  failed: Generated<number>
  output_file_id: Nullable<string>
  error_file_id: Nullable<string>
  opened_at: Timestamp
  window_ends_at: Timestamp
  began_at: NullableTimestamp
  finalizing_at: NullableTimestamp
  cancelling_at: NullableTimestamp
  closed_at: NullableTimestamp
  asked_at: NullableTimestamp
}

export interface BatchFileTable extends LabelColumns, Retained {
  id: string
  key_id: string
  gate: Gate
  holds: 'input' | 'answers' | 'errors'
  batch_id: Nullable<string>
  name: string
  state: Generated<'open' | 'whole'>
  bytes: Generated<number>
  lines: Generated<number>
  made_at: Timestamp
}

export interface BatchFileLineTable extends LabelColumns {
  file_id: string
  number: number
  gate: Gate
  body: Buffer
}

export interface BatchLineTable extends LabelColumns {
  batch_id: string
  number: number
  gate: Gate
  custom_id: string
  model: string
  state: Generated<'waiting' | 'asking' | 'answered' | 'failed'>
  answer: Nullable<string>
}
