import type { Generated } from 'kysely'
import type { GeneratedTimestamp, Json, LabelColumns, Nullable, NullableJson, NullableTimestamp, Retained, Timestamp } from './schema-columns.ts'

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

/** What the operator signed once for many acts; see 0016_orders.sql. */
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
  may_have_left: Generated<boolean>
  receipt: NullableJson
  started_at: Timestamp
  closed_at: NullableTimestamp
  sent_copy: Nullable<'waiting' | 'filed' | 'present' | 'failed'>
  sent_copy_tries: Generated<number>
  sent_copy_at: NullableTimestamp
  sent_copy_reason: Nullable<string>
  discarded_at: NullableTimestamp
}

export interface ReleaserStateTable {
  one: Generated<boolean>
  spent_nonces: Generated<number>
  /** The outbox stands still since then; see 0004_outbox.sql. */
  fence_id: Nullable<string>
  fenced_at: NullableTimestamp
  fence_reason: Nullable<string>
  compared_for: NullableTimestamp
}
