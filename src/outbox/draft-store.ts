import type { Pool, PoolClient } from 'pg'
import { Fault } from '../kernel/fault.ts'
import { fromRow, join, toRow, type Label, type LabelRow } from '../labels/index.ts'
import { openStates, settledStates, type Draft, type DraftState } from './draft.ts'
import type { Receipt } from './connectors/connector.ts'
import { readProof, type Proof } from './keys/proof.ts'
import { findOrderedBy, type OrderedBy } from './orders/order-store.ts'
import type { AnsweredWords } from './risk.ts'

/** Only this file and delivery-store.ts touch proposal, draft, decision, delivery and releaser_state. Changes take part in the caller's transaction. */
export type Queryable = Pick<Pool | PoolClient, 'query'>

export interface ProposalToFreeze {
  readonly id: string
  /** Null: an act of the operator himself, as which `job` says so too. */
  readonly run: string | null
  readonly job: string
  readonly step: string
  readonly item: string
  readonly kind: string
  readonly connector: string
  readonly payload: unknown
  /** Of the run now, joined with what the run had read when it proposed. */
  readonly label: Label
}

/** The operator signed it, or an order of his approved it. */
export type Approval = { readonly decidedAt: Date } & ({ readonly proof: Proof; readonly order?: undefined } | { readonly order: OrderedBy; readonly proof?: undefined })

export interface DraftRow extends LabelRow {
  id: string; proposal_id: string; replaces: string | null; kind: string; connector: string; account: string
  document: string; wire: Buffer; nonce: string; risk: number; state: DraftState; reason: string | null
  frozen_at: Date; expires_at: Date; not_before: Date | null; hold_until: Date | null; snoozed_until: Date | null; closed_at: Date | null
}

const draftColumns = `id, proposal_id, replaces, kind, connector, account, document, wire, nonce, risk, state, reason,
  frozen_at, expires_at, not_before, hold_until, snoozed_until, closed_at, label_level, label_integrity, label_lanes`

/** Proposals that nobody has frozen yet, the oldest first. */
export async function newProposals(query: Queryable, limit: number): Promise<string[]> {
  const { rows } = await query.query<{ id: string }>(`select id from proposal where state = 'proposed' order by proposed_at limit $1`, [limit])
  return rows.map(({ id }) => id)
}

/** Locks a proposal for freezing; nothing when it was frozen or refused meanwhile. */
export async function lockProposal(client: Queryable, id: string): Promise<ProposalToFreeze | undefined> {
  return readProposal(client, id, `and p.state = 'proposed' for update of p`)
}

/** What was proposed, whatever became of it. */
export async function findProposal(query: Queryable, id: string): Promise<ProposalToFreeze | undefined> {
  return readProposal(query, id, '')
}

async function readProposal(client: Queryable, id: string, only: string): Promise<ProposalToFreeze | undefined> {
  const { rows } = await client.query<{
    id: string; run_id: string | null; step_id: string; item_key: string; kind: string; connector: string; payload: unknown; job: string
    now: LabelRow | null; then: LabelRow
  }>(
    `select p.id, p.run_id, p.step_id, p.item_key, p.kind, p.connector, p.payload, coalesce(r.job, 'operator') as job,
       case when r.id is not null then jsonb_build_object('label_level', r.label_level, 'label_integrity', r.label_integrity, 'label_lanes', r.label_lanes) end as now,
       jsonb_build_object('label_level', p.label_level, 'label_integrity', p.label_integrity, 'label_lanes', p.label_lanes) as then
     from proposal p left join run r on r.id = p.run_id
     where p.id = $1 ${only}`,
    [id],
  )
  const row = rows[0]
  return row && {
    id: row.id, run: row.run_id, job: row.job, step: row.step_id, item: row.item_key, kind: row.kind, connector: row.connector,
    payload: row.payload, label: row.now === null ? fromRow(row.then) : join(fromRow(row.now), fromRow(row.then)),
  }
}

export async function closeProposal(client: Queryable, id: string, state: 'frozen' | 'refused', refusal?: string): Promise<void> {
  await client.query(`update proposal set state = $2, refusal = $3 where id = $1`, [id, state, refusal ?? null])
}

/** Those of the addresses to which nothing was released yet. */
export async function strangersAmong(query: Queryable, addresses: readonly string[]): Promise<string[]> {
  const { rows } = await query.query<{ address: string }>(
    `select address from unnest($1::text[]) as asked(address)
     where not exists (select 1 from draft where state = 'released' and summary -> 'addresses' ? address)`,
    [addresses],
  )
  return rows.map(({ address }) => address)
}

/** The IBANs in what was released to any of the addresses. */
export async function ibansSentTo(query: Queryable, addresses: readonly string[]): Promise<string[]> {
  const { rows } = await query.query<{ iban: string }>(
    `select distinct iban from draft, jsonb_array_elements_text(coalesce(summary -> 'ibans', '[]')) as said(iban)
     where state = 'released' and summary -> 'addresses' ?| $1::text[] order by iban limit 20`,
    [addresses],
  )
  return rows.map(({ iban }) => iban)
}

/** What a worker read in the stored mails with that Message-ID. */
export async function answeredWords(query: Queryable, messageId: string): Promise<AnsweredWords[]> {
  const { rows } = await query.query<{ from: string | null; subject: string | null; text: string | null }>(
    `select envelope -> 'from' ->> 'address' as from, envelope ->> 'subject' as subject, left(body_text, 100000) as text
     from mail_message where message_id = $1 order by received_at, id limit 5`,
    [messageId],
  )
  return rows.map(({ from, subject, text }) => ({ from: from === '' ? null : from, subject: subject ?? '', text: text ?? '' }))
}

export type NewDraft = Omit<Draft, 'state' | 'reason' | 'holdUntil' | 'snoozedUntil' | 'closedAt'> & { readonly summary: Readonly<Record<string, unknown>> }

export async function insertDraft(client: Queryable, draft: NewDraft): Promise<void> {
  const { label_level, label_integrity, label_lanes } = toRow(draft.label)
  await client.query(
    `insert into draft (id, proposal_id, replaces, kind, connector, account, document, wire, nonce, risk, summary, frozen_at, expires_at,
       not_before, label_level, label_integrity, label_lanes)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
    [draft.id, draft.proposalId, draft.replaces, draft.kind, draft.connector, draft.account, draft.document, draft.wire, draft.nonce,
      draft.risk, JSON.stringify(draft.summary), draft.frozenAt, draft.expiresAt, draft.notBefore, label_level, label_integrity, label_lanes],
  )
}

/** A draft, locked until the transaction ends: of two who would move it, the second sees what the first did. */
export async function lockDraft(client: Queryable, id: string): Promise<Draft | undefined> {
  const { rows } = await client.query<DraftRow>(`select ${draftColumns} from draft where id = $1 for update`, [id])
  return rows[0] && fromDraftRow(rows[0])
}

/** Moves a locked draft; the database refuses a move that is none, and a hold that ends before the time that was set. */
export async function moveDraft(
  client: Queryable, id: string, to: DraftState, fields: { reason?: string; holdUntil?: Date; closedAt?: Date } = {},
): Promise<void> {
  await client.query(
    `update draft set state = $2, reason = $3, hold_until = case when coalesce($4, hold_until) is not null then greatest(coalesce($4, hold_until), not_before) end, closed_at = $5 where id = $1`,
    [id, to, fields.reason ?? null, fields.holdUntil ?? null, fields.closedAt ?? null],
  )
}

/** What the database says of these drafts; of one that it does not have, nothing. */
export async function statesOf(query: Queryable, ids: readonly string[]): Promise<Map<string, DraftState>> {
  const { rows } = await query.query<{ id: string; state: DraftState }>('select id, state from draft where id = any ($1)', [ids])
  return new Map(rows.map(({ id, state }) => [id, state]))
}

export async function snooze(client: Queryable, id: string, until: Date | null): Promise<void> {
  await client.query('update draft set snoozed_until = $2 where id = $1', [id, until])
}

/** Drafts in that state whose hold or deadline is over: by the time that was set, else the oldest first. */
export async function overdueDrafts(query: Queryable, state: 'held' | 'waiting', now: Date, connector?: string): Promise<string[]> {
  const { rows } = await query.query<{ id: string }>(
    `select id from draft where state = $1 and ${state === 'held' ? 'hold_until' : 'expires_at'} <= $2 and connector = coalesce($3, connector) order by coalesce(not_before, frozen_at), frozen_at, id`,
    [state, now, connector ?? null],
  )
  return rows.map(({ id }) => id)
}

/** The connectors of the drafts whose hold is over; while the outbox is fenced, the one alone that may open it again. */
export async function dueConnectors(query: Queryable, now: Date): Promise<string[]> {
  const { rows } = await query.query<{ connector: string }>(
    `select distinct connector from draft where state = 'held' and hold_until <= $1 and (kind = 'outbox.resume' or not exists (select 1 from releaser_state where fence_id is not null))`, [now],
  )
  return rows.map(({ connector }) => connector)
}

/** When the next hold or deadline is over, of those that are not over yet. */
export async function nextMoment(query: Queryable, now: Date): Promise<Date | undefined> {
  const { rows } = await query.query<{ next: Date | null }>(
    `select least(
       (select min(hold_until) from draft where state = 'held' and hold_until > $1),
       (select min(expires_at) from draft where state = 'waiting' and expires_at > $1)) as next`,
    [now],
  )
  return rows[0]?.next ?? undefined
}

export async function insertDecision(
  client: Queryable,
  decision: { id: string; draft: string; verdict: 'approve' | 'deny' | 'undo'; reason?: string; at: Date; order?: string } & Partial<Proof>,
): Promise<void> {
  const { id, draft, verdict, keyId, signature, assertion, order, reason, at } = decision
  await client.query(
    `insert into decision (id, draft_id, verdict, key_id, signature, assertion, order_id, reason, decided_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [id, draft, verdict, keyId ?? null, signature ?? null, assertion === undefined ? null : JSON.stringify(assertion), order ?? null, reason ?? null, at],
  )
}

/** @throws Fault `draft.approval`, `order.use` */
export async function findApproval(query: Queryable, draft: string): Promise<Approval | undefined> {
  const { rows } = await query.query<{ key_id: string | null; signature: Buffer | null; assertion: unknown; order_id: string | null; decided_at: Date }>(
    `select key_id, signature, assertion, order_id, decided_at from decision where draft_id = $1 and verdict = 'approve'`,
    [draft],
  )
  const [row] = rows
  if (row === undefined) return undefined
  if (row.order_id !== null && row.key_id !== null) throw new Fault('refused', 'draft.approval', `the approval of draft ${draft} names a key and an order; it can only be one of them`)
  if (row.order_id !== null) return { order: await findOrderedBy(query, draft, row.order_id), decidedAt: row.decided_at }
  return { proof: readProof({ keyId: row.key_id!, signature: row.signature, assertion: row.assertion }), decidedAt: row.decided_at }
}

/**
 * The one delivery of a draft. After a try that sent nothing, or a crash before anything was sent, it is there already, and
 * is gone on with. @returns how many tries ended with nothing sent
 */
export async function openDelivery(client: Queryable, delivery: { id: string; draft: string; nonce: string; at: Date }): Promise<number> {
  await client.query(
    `insert into delivery (id, draft_id, nonce, started_at) values ($1, $2, $3, $4) on conflict (draft_id) do nothing`,
    [delivery.id, delivery.draft, delivery.nonce, delivery.at],
  )
  const { rows } = await client.query<{ tries: number }>(`select tries from delivery where draft_id = $1`, [delivery.draft])
  return rows[0]!.tries
}

/** One more try ended with nothing sent. */
export async function countTry(client: Queryable, draft: string): Promise<void> {
  await client.query(`update delivery set tries = tries + 1 where draft_id = $1`, [draft])
}

/** Closes the delivery of a draft, if there is one that is not closed. `unknown` may be cleared up later. */
export async function closeDelivery(
  client: Queryable, draft: string, state: 'delivered' | 'failed' | 'unknown', receipt: Receipt | undefined, at: Date,
): Promise<void> {
  await client.query(
    `update delivery set state = $2, receipt = $3, closed_at = $4 where draft_id = $1 and state in ('attempting', 'unknown')`,
    [draft, state, receipt === undefined ? null : JSON.stringify(receipt), at],
  )
}

/** How many nonces the file held when this database last heard of it. */
export async function spentCount(query: Queryable): Promise<number> {
  const { rows } = await query.query<{ spent_nonces: number }>(`select spent_nonces from releaser_state`)
  return rows[0]!.spent_nonces
}

/** The file holds as many at least. Of two who say so side by side, the one who comes last takes nothing back. */
export async function raiseSpentCount(query: Queryable, count: number): Promise<void> {
  await query.query(`update releaser_state set spent_nonces = $1 where spent_nonces < $1`, [count])
}

/** Counts anew, after the file was lost and what it held was spent again. */
export async function resetSpentCount(query: Queryable, count: number): Promise<void> {
  await query.query(`update releaser_state set spent_nonces = $1`, [count])
}

/** As much of a draft as tells whether its nonce or its act was spent. */
export type DraftTrace = Pick<Draft, 'id' | 'nonce' | 'document' | 'state'>

/** Every draft that is open, or of one connector. */
export async function openDrafts(query: Queryable, connector?: string): Promise<DraftTrace[]> {
  const { rows } = await query.query<DraftTrace>(`select id, nonce, document, state from draft where state = any ($1) and connector = coalesce($2, connector) order by frozen_at, id`, [openStates, connector ?? null])
  return rows
}

/** Every draft that was ever approved, or that a flipped row shows as approved, and every one that the operator changed. */
export async function everSpent(query: Queryable): Promise<(DraftTrace & { origin: { run: string | null; step: string; item: string } })[]> {
  const { rows } = await query.query<DraftTrace & { origin: { run: string | null; step: string; item: string } }>(
    `select d.id, d.nonce, d.document, d.state, jsonb_build_object('run', p.run_id, 'step', p.step_id, 'item', p.item_key) as origin
     from draft d join proposal p on p.id = d.proposal_id
     where d.state in ('signed', 'held', 'releasing', 'replaced') or exists (select 1 from decision where draft_id = d.id and verdict = 'approve')
     order by d.frozen_at, d.id`,
  )
  return rows
}

/** Lets the run go on that waits for this proposal. @returns what was enqueued by that */
export async function wakeWaiting(client: Queryable, proposal: string): Promise<{ run: string; queue: string }[]> {
  const { rows } = await client.query<{ woken: { run: string; queue: string } }>(`select run_wake($1) as woken`, [proposal])
  return rows.map(({ woken }) => woken)
}

/** A proposal of each parked run of whose proposals none is open: their decisions came before the run was parked. */
export async function forgottenRuns(query: Queryable): Promise<string[]> {
  const { rows } = await query.query<{ proposal: string }>(
    `select (array_agg(p.id))[1] as proposal
     from run r join proposal p on p.run_id = r.id
     where r.state = 'parked'
     group by r.id
     having bool_and(p.state = 'refused' or exists (select 1 from draft d where d.proposal_id = p.id and d.state = any ($1)))
        and not bool_or(p.state = 'proposed' or exists (select 1 from draft d where d.proposal_id = p.id and d.state = any ($2)))`,
    [settledStates, openStates],
  )
  return rows.map(({ proposal }) => proposal)
}

export function fromDraftRow(row: DraftRow): Draft {
  return {
    id: row.id, proposalId: row.proposal_id, replaces: row.replaces, kind: row.kind, connector: row.connector, account: row.account,
    document: row.document, wire: row.wire, nonce: row.nonce, risk: row.risk, state: row.state, reason: row.reason,
    frozenAt: row.frozen_at, expiresAt: row.expires_at, notBefore: row.not_before, holdUntil: row.hold_until, snoozedUntil: row.snoozed_until, closedAt: row.closed_at, label: fromRow(row),
  }
}
