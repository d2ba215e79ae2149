import { fromRow, type Label, type LabelRow } from '../labels/index.ts'
import { fromDraftRow, type DraftRow, type Queryable } from './draft-store.ts'
import { draftStates, type Draft, type DraftState } from './draft.ts'
import type { Receipt } from './connectors/connector.ts'
import type { SentCopy } from './sent-copy-store.ts'

/** What pages and the CLI ask of the drafts. Reads only. */
export interface DraftQuery {
  readonly states?: readonly DraftState[] | undefined
  readonly limit: number
  /** Leaves out what is snoozed at that moment. */
  readonly awakeAt?: Date | undefined
}

const withoutWire = `id, proposal_id, replaces, kind, connector, account, document, ''::bytea as wire, nonce, risk, state, reason,
  frozen_at, expires_at, not_before, hold_until, snoozed_until, closed_at, label_level, label_integrity, label_lanes`

/** The newest first; without the bytes. */
export async function listDrafts(query: Queryable, { states = draftStates, limit, awakeAt }: DraftQuery): Promise<Draft[]> {
  const { rows } = await query.query<DraftRow & LabelRow>(
    `select ${withoutWire} from draft where state = any ($1) and (state <> 'waiting' or snoozed_until is null or $3::timestamptz is null or snoozed_until <= $3)
     order by frozen_at desc, id desc limit $2`,
    [states, limit, awakeAt ?? null],
  )
  return rows.map(fromDraftRow)
}

export async function findDraft(query: Queryable, id: string): Promise<Draft | undefined> {
  const { rows } = await query.query<DraftRow & LabelRow>(`select * from draft where id = $1`, [id])
  return rows[0] && fromDraftRow(rows[0])
}

/** When each key last signed an approval. */
export async function lastSigned(query: Queryable): Promise<Map<string, Date>> {
  const { rows } = await query.query<{ key: string; at: Date }>(`select key_id as key, max(decided_at) as at from decision where key_id is not null group by key_id`)
  return new Map(rows.map(({ key, at }) => [key, at]))
}

export interface DecisionRow {
  readonly draft: string
  readonly verdict: 'approve' | 'deny' | 'undo'
  /** Or the order that approved it. */
  readonly key: string | null
  readonly reason: string | null
  readonly at: Date
}

export interface DeliveryRow {
  readonly draft: string
  readonly state: 'attempting' | 'delivered' | 'failed' | 'unknown'
  readonly receipt: Receipt | null
  /** What became of the copy in the sender's mailbox; null where none is wanted. */
  readonly sent_copy: SentCopy | null
  readonly sent_copy_reason: string | null
  readonly started: Date
  readonly closed: Date | null
}

/** Everything that happened to the proposal of a draft: its drafts, the decisions on them, the deliveries. */
export async function historyOf(query: Queryable, proposal: string): Promise<{ drafts: Draft[]; decisions: DecisionRow[]; deliveries: DeliveryRow[] }> {
  const drafts = await query.query<DraftRow & LabelRow>(`select ${withoutWire} from draft where proposal_id = $1 order by frozen_at, id`, [proposal])
  const ids = drafts.rows.map(({ id }) => id)
  const decisions = await query.query<DecisionRow>(
    `select c.draft_id as draft, c.verdict, coalesce(c.key_id, 'order ' || o.name) as key, c.reason, c.decided_at as at
     from decision c left join standing_order o on o.id = c.order_id where c.draft_id = any ($1) order by c.decided_at`,
    [ids],
  )
  const deliveries = await query.query<DeliveryRow>(
    `select draft_id as draft, state, receipt, sent_copy, sent_copy_reason, started_at as started, closed_at as closed from delivery where draft_id = any ($1) order by started_at`,
    [ids],
  )
  return { drafts: drafts.rows.map(fromDraftRow), decisions: decisions.rows, deliveries: deliveries.rows }
}

/** A stored mail as a page names it; what a worker read in its head. Its text stays where it is. */
export interface AnsweredMail {
  readonly messageId: string
  readonly account: string
  readonly envelope: unknown
  readonly receivedAt: Date
  readonly label: Label
}

/** The mail with that Message-ID, the first that came where several claim it. */
export async function findAnsweredMail(query: Queryable, messageId: string): Promise<AnsweredMail | undefined> {
  const { rows } = await query.query<LabelRow & { message_id: string; account: string; envelope: unknown; received_at: Date }>(
    `select message_id, account, envelope, received_at, label_level, label_integrity, label_lanes from mail_message
     where message_id = $1 order by received_at, id limit 1`,
    [messageId],
  )
  const row = rows[0]
  return row && { messageId: row.message_id, account: row.account, envelope: row.envelope, receivedAt: row.received_at, label: fromRow(row) }
}
