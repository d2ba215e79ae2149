import type { ColumnType, Generated } from 'kysely'
import type { GeneratedJson, GeneratedTimestamp, Json, LabelColumns, Nullable, NullableJson, NullableTimestamp, Retained, Timestamp } from './schema-columns.ts'

export interface ContentTable extends LabelColumns, Retained {
  /** SHA-256 of the body. */
  hash: Buffer
  body: Nullable<Buffer>
  stored_at: GeneratedTimestamp
}

export interface MailMessageTable extends LabelColumns, Retained {
  id: string
  account: string
  folder: string
  uid: string
  raw_hash: Buffer
  size: number
  received_at: Timestamp
  stored_at: GeneratedTimestamp
  message_id: Nullable<string>
  envelope: NullableJson
  body_text: Nullable<string>
  parsed_at: NullableTimestamp
  parse_error: NullableJson
}

export interface MailboxTable {
  account: string
  folder: string
  server: string
  uidvalidity: Nullable<number>
  uid: Generated<number>
  messages: Generated<number>
  state: 'connecting' | 'mirroring' | 'watching' | 'failing' | 'refused'
  since: Timestamp
  problem: Nullable<string>
  refused: GeneratedJson<{ uid: string; reason: string }[]>
}

export interface MailPieceTable extends LabelColumns {
  account: string
  folder: string
  uid: string
  part: number
  body: Buffer
}

export interface FileLabelTable extends LabelColumns, Retained {
  hash: Buffer
  run_id: Nullable<string>
}

export interface InboundEventTable extends LabelColumns, Retained {
  id: string
  /** The name of the webhook. */
  source: string
  event_id: string
  type: string
  received_at: Timestamp
  body: Buffer
}

export interface InboundSeenTable extends Retained {
  source: string
  /** SHA-256 of what a delivery is known again by. */
  key: Buffer
  seen_at: Timestamp
}

export interface InboundRunTable {
  event_id: string
  job: string
  run_id: Nullable<string>
  /** Null: not opened yet. */
  outcome: Nullable<string>
  opened_at: NullableTimestamp
}

export interface InboundTallyTable {
  source: string
  /** ISO 8601, UTC. */
  day: string
  outcome: string
  count: number
  last_at: Timestamp
}

export interface SourceFetchTable extends LabelColumns, Retained {
  id: string
  source: string
  run_id: string
  job: string
  params: GeneratedJson<Record<string, string>>
  state: Generated<'asked' | 'open' | 'fetched' | 'failed' | 'refused'>
  reason: Nullable<string>
  /** Of HTTP, or the exit code of a command. */
  status: Nullable<number>
  bytes: Nullable<number>
  asked_at: GeneratedTimestamp
  opened_at: NullableTimestamp
  closed_at: NullableTimestamp
}

export interface SourceSnapshotTable extends LabelColumns, Retained {
  source: string
  /** SHA-256 of the parameters. */
  params_key: Buffer
  params: Json
  fetch_id: string
  fetched_at: Timestamp
  media: string
  body: Buffer
}

export interface SourceConnectionTable extends LabelColumns {
  id: string
  fetch_id: string
  host: string
  port: Nullable<number>
  address: Nullable<string>
  outcome: Generated<string>
  bytes_up: Nullable<number>
  bytes_down: Nullable<number>
  opened_at: GeneratedTimestamp
  closed_at: NullableTimestamp
}

export interface AuditKindTable {
  role: string
  kind: string
}

/** Append-only. `xid` is an xid8 as text. */
export interface AuditEventTable extends LabelColumns, Retained {
  id: ColumnType<number, never, never>
  xid: ColumnType<string, never, never>
  at: ColumnType<Date, never, never>
  actor: ColumnType<string, never, never>
  kind: string
  subject: string
  detail: GeneratedJson<Record<string, unknown>>
}

export interface AuditSealTable {
  batch: number
  upto_xid: string
  upto_id: number
  events: number
  previous: Buffer
  head: Buffer
  signature: Buffer
  key_id: string
  sealed_at: GeneratedTimestamp
}

export interface ProcessTable {
  name: string
  pid: Nullable<number>
  uid: Nullable<number>
  state: 'starting' | 'ready' | 'backoff' | 'stopped' | 'crashed'
  restarts: Generated<number>
  isolation: string
  reason: Nullable<string>
  since: GeneratedTimestamp
}

export interface SupervisorTable {
  one: Generated<boolean>
  pid: number
  started_at: Timestamp
  version: string
  house: string
  isolation: string
  problems: GeneratedJson
}

export interface WebSessionTable {
  id: string
  key_hash: Buffer
  browser: string
  opened_at: Timestamp
  seen_at: Timestamp
  expires_at: Timestamp
}

export interface SigninCodeTable {
  code_hash: Buffer
  expires_at: Timestamp
}

export interface SchemaMetaTable {
  version: number
  file: string
  digest: string
  min_app: number
  applied_at: GeneratedTimestamp
}
