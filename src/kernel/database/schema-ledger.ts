import type { ColumnType, Generated } from 'kysely'
import type {
  GeneratedJson,
  GeneratedTimestamp,
  Json,
  LabelColumns,
  Nullable,
  NullableJson,
  NullableTimestamp,
  Retained,
  Timestamp,
} from './schema-columns.ts'

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

export interface ProposalTable extends LabelColumns, Retained {
  id: string
  /** Null: an act of the operator himself. */
  run_id: Nullable<string>
  step_id: string
  item_key: string
  kind: string
  connector: string
  payload: Json
  state: Generated<'proposed' | 'frozen' | 'refused'>
  refusal: Nullable<string>
  proposed_at: GeneratedTimestamp
}

export type DraftState =
  | 'waiting'
  | 'signed'
  | 'held'
  | 'releasing'
  | 'released'
  | 'failed'
  | 'unknown'
  | 'denied'
  | 'expired'
  | 'undone'
  | 'replaced'

export interface DraftTable extends LabelColumns, Retained {
  id: string
  proposal_id: string
  replaces: Nullable<string>
  kind: string
  connector: string
  account: string
  /** The document that is signed, canonical JSON (RFC 8785). */
  document: string
  wire: Buffer
  nonce: string
  risk: number
  summary: Json
  state: Generated<DraftState>
  reason: Nullable<string>
  frozen_at: Timestamp
  expires_at: Timestamp
  not_before: NullableTimestamp
  hold_until: NullableTimestamp
  snoozed_until: NullableTimestamp
  closed_at: NullableTimestamp
}

export interface DecisionTable {
  id: string
  draft_id: string
  verdict: 'approve' | 'deny' | 'undo'
  key_id: Nullable<string>
  signature: Nullable<Buffer>
  assertion: NullableJson
  reason: Nullable<string>
  decided_at: Timestamp
  /** The standing order that approved it, in the place of a signature. */
  order_id: Nullable<string>
}

/** What the operator signed once for many acts; see 0015_orders.sql. */
export interface StandingOrderTable extends LabelColumns, Retained {
  /** Of the draft that made it. */
  id: string
  name: string
  kind: string
  connector: string
  account: string
  per_day: number
  timezone: string
  level: 0 | 1 | 2
  document: string
  wire: Buffer
  key_id: string
  assertion: Json
  decided_at: Timestamp
  granted_at: Timestamp
  expires_at: NullableTimestamp
  revoked_at: NullableTimestamp
}

export interface OrderUseTable {
  draft_id: string
  order_id: string
  day: string
  n: number
  per_day: number
  used_at: Timestamp
}

export interface DeliveryTable {
  id: string
  draft_id: string
  nonce: string
  state: Generated<'attempting' | 'delivered' | 'failed' | 'unknown'>
  tries: Generated<number>
  receipt: NullableJson
  started_at: Timestamp
  closed_at: NullableTimestamp
  sent_copy: Nullable<'waiting' | 'filed' | 'present' | 'failed'>
  sent_copy_tries: Generated<number>
  sent_copy_at: NullableTimestamp
  sent_copy_reason: Nullable<string>
}

export interface ReleaserStateTable {
  one: Generated<boolean>
  spent_nonces: Generated<number>
  /** The outbox stands still since then; see 0015_orders.sql. */
  fence_id: Nullable<string>
  fenced_at: NullableTimestamp
  fence_reason: Nullable<string>
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
