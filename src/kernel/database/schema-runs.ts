import type { Generated } from 'kysely'
import type {
  GeneratedJson,
  GeneratedTimestamp,
  Json,
  JsonObject,
  LabelColumns,
  Nullable,
  NullableJson,
  NullableTimestamp,
  Retained,
  Timestamp,
} from './schema-columns.ts'

export interface LaneTable {
  name: string
  worker: 'open' | 'private'
  /** The highest level that a cloud model may see; -1: none. */
  cloud_clearance: -1 | 0 | 1
  providers: Generated<string[]>
  /** May its text be redacted and then shown to a cloud model? */
  redacts: Generated<boolean>
}

export interface HouseTable {
  digest: string
  loaded_at: GeneratedTimestamp
  current: Generated<boolean>
  settings: Json
  problems: GeneratedJson
}

export interface JobDefinitionTable {
  digest: string
  job: string
  definition: Json
  loaded_at: GeneratedTimestamp
}

export interface JobTable extends LabelColumns {
  name: string
  digest: string
  lane: string
  overlap: 'skip' | 'queue' | 'replace' | 'allow'
  missed: 'skip' | 'latest' | 'all'
  tries: number
  declared: Generated<boolean>
  paused: Generated<boolean>
  declared_at: Timestamp
}

export interface OccurrenceTable extends LabelColumns, Retained {
  id: string
  job: string
  slot: Timestamp
  origin: 'schedule' | 'manual' | 'redrive' | 'webhook' | 'alert'
  state: Generated<'due' | 'ran' | 'skipped' | 'missed' | 'failed'>
  reason: Nullable<string>
  idempotency_key: Nullable<string>
  recorded_at: GeneratedTimestamp
  closed_at: NullableTimestamp
}

export type RunState = 'waiting' | 'queued' | 'running' | 'parked' | 'succeeded' | 'cancelled' | 'dead'

export interface RunTable extends LabelColumns, Retained {
  id: string
  occurrence_id: string
  job: string
  digest: string
  lane: string
  state: RunState
  /** Waits for a run of the same job to end. */
  behind_another: Generated<boolean>
  /** A decision came while it was executing: should it park now, it goes on at once. */
  woken: Generated<boolean>
  input: GeneratedJson<Record<string, unknown>>
  fence: Nullable<string>
  executor: Nullable<string>
  /** The queue job that its executor holds it by. */
  queue: Nullable<string>
  queue_job: Nullable<string>
  not_before: NullableTimestamp
  error: NullableJson<{ code: string; message?: string; [detail: string]: unknown }>
  made_without_model: Generated<boolean>
  opened_at: GeneratedTimestamp
  claimed_at: NullableTimestamp
  closed_at: NullableTimestamp
  /** Its input, its outputs and its log are gone. */
  swept_at: NullableTimestamp
}

export interface StepTable extends LabelColumns, Retained {
  run_id: string
  id: string
  position: number
  tool: string
  state: 'started' | 'retrying' | 'waiting' | 'succeeded' | 'skipped' | 'failed'
  attempt: Generated<number>
  crashes: Generated<number>
  failures: Generated<number>
  output: NullableJson
  output_hash: Nullable<Buffer>
  made_without_model: Generated<boolean>
  error: NullableJson<{ code: string; message?: string; [detail: string]: unknown }>
  started_at: GeneratedTimestamp
  closed_at: NullableTimestamp
}

export interface RunLogTable extends LabelColumns, Retained {
  id: Generated<number>
  run_id: string
  step: Nullable<string>
  at: Timestamp
  level: string
  message: string
  fields: GeneratedJson<Record<string, unknown>>
}

export interface SessionTable {
  id: string
  key_hash: Buffer
  run_id: string
  fence: string
  issued_at: GeneratedTimestamp
  expires_at: GeneratedTimestamp
}

export interface ModelCallTable extends LabelColumns, Retained {
  id: string
  /** Of a run's call; null of a client's, which has a key. */
  session_id: Nullable<string>
  run_id: Nullable<string>
  key_id: Nullable<string>
  gate: 'local' | 'cloud'
  task: string
  upstream: Nullable<string>
  model: Nullable<string>
  zone: Nullable<string>
  state: Generated<'open' | 'succeeded' | 'failed' | 'refused' | 'abandoned'>
  reason: Nullable<string>
  input_tokens: Nullable<number>
  output_tokens: Nullable<number>
  /** Null: nobody knows the price. */
  cost_eur: Nullable<number>
  cost_usd: Nullable<number>
  /** Among the input tokens. */
  cached_tokens: Nullable<number>
  cache_write_tokens: Nullable<number>
  /** Among the output tokens. */
  reasoning_tokens: Nullable<number>
  /** What it was paid from. */
  block_id: Nullable<string>
  /** Whose line asked. */
  batch_id: Nullable<string>
  opened_at: GeneratedTimestamp
  closed_at: NullableTimestamp
}

export interface DeclassificationTable extends LabelColumns, Retained {
  id: string
  session_id: string
  run_id: string
  redactor: string
  /** SHA-256. */
  input_hash: Buffer
  output_hash: Buffer
  from_level: 1 | 2
  to_level: 0 | 1
  kinds: JsonObject
  made_at: GeneratedTimestamp
  used_at: NullableTimestamp
}

export interface ClientKeyTable extends LabelColumns, Retained {
  id: string
  name: string
  /** SHA-256. */
  key_hash: Buffer
  gate: 'local' | 'cloud'
  lane: string
  max_level: 0 | 1 | 2 | 3
  models: Generated<string[]>
  made_at: GeneratedTimestamp
  expires_at: NullableTimestamp
  revoked_at: NullableTimestamp
}

export interface ClearanceTable extends LabelColumns, Retained {
  /** Of the draft that granted it. */
  id: string
  lane: Nullable<string>
  upstream: string
  url: string
  level: 2 | 3
  granted_at: GeneratedTimestamp
  expires_at: NullableTimestamp
  revoked_at: NullableTimestamp
}
