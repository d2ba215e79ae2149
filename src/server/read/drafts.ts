import { sql } from 'kysely'
import { signingSite, type House } from '../../house/index.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import type { DraftDetail, DraftLine } from '../api.ts'
import { iso, labelView } from './label-view.ts'

export interface DraftFilter {
  readonly state?: DraftLine['state'] | undefined
  readonly limit: number
}

/** Where the operator's browser finds the page on which drafts are signed. */
export function signOrigin({ settings }: Pick<House, 'settings'>): string {
  return signingSite(settings.signing, settings.ports.releaser).origin
}

/** When the drafts that the operator put off are back, the soonest first. */
export async function snoozedDrafts(database: Database, now: Date): Promise<string[]> {
  const rows = await database.kysely.selectFrom('draft').select('snoozed_until')
    .where('state', '=', 'waiting').where('expires_at', '>', now).where('snoozed_until', '>', now).orderBy('snoozed_until').execute()
  return rows.map((row) => iso(row.snoozed_until!))
}

/** Drafts that only the operator can move on: those that wait for a signature, and those whose sending is in doubt. The soonest expiry first, and how many there are; without those that he put off. */
export async function draftsForOperator(database: Database, now: Date, origin: string, limit: number): Promise<{ drafts: DraftLine[]; count: number }> {
  const needed = database.kysely.selectFrom('draft as n')
    .where(sql<boolean>`(n.state = 'unknown' or n.state = 'waiting' and n.expires_at > ${now} and (n.snoozed_until is null or n.snoozed_until <= ${now}))`)
  const [rows, counted] = await Promise.all([
    // chosen before they are joined: all that need him may be many
    selectDrafts(database).where('d.id', 'in', needed.select('n.id').orderBy('n.expires_at').limit(limit)).orderBy('d.expires_at').execute(),
    needed.select((column) => column.fn.countAll<string>().as('count')).executeTakeFirstOrThrow(),
  ])
  return { drafts: rows.map((row) => draftLine(row, origin)), count: Math.max(rows.length, Number(counted.count)) }
}

/** Drafts, the newest first: ids sort by the time they were made. */
export async function listDrafts(database: Database, { state, limit }: DraftFilter, origin: string): Promise<DraftLine[]> {
  let query = selectDrafts(database).limit(limit)
  query = state === undefined ? query.orderBy('d.id', 'desc') : query.where('d.state', '=', state).orderBy('d.frozen_at', 'desc')
  return (await query.execute()).map((row) => draftLine(row, origin))
}

/** What became of a draft. Never what it says: that is the releaser's to show. @throws Fault `draft.missing` */
export async function findDraft(database: Database, id: string, origin: string): Promise<DraftDetail> {
  const [row, after, decisions, delivery] = await Promise.all([
    selectDrafts(database).select(['d.proposal_id', 'd.replaces']).where('d.id', '=', id).executeTakeFirst(),
    database.kysely.selectFrom('draft').select('id').where('replaces', '=', id).executeTakeFirst(),
    database.kysely.selectFrom('decision').select(['verdict', 'key_id as key', 'decided_at']).where('draft_id', '=', id).orderBy('decided_at').execute(),
    database.kysely.selectFrom('delivery').select(['state', 'started_at', 'closed_at']).where('draft_id', '=', id).executeTakeFirst(),
  ])
  if (row === undefined) throw new Fault('missing', 'draft.missing', `there is no draft "${id}"; \`castellan draft list\` shows those that wait`)
  return {
    ...draftLine(row, origin),
    proposal: row.proposal_id,
    replaces: row.replaces,
    replaced_by: after?.id ?? null,
    decisions: decisions.map(({ verdict, key, decided_at }) => ({ verdict, key, decided_at: iso(decided_at) })),
    delivery: delivery === undefined ? null : { state: delivery.state, started_at: iso(delivery.started_at), closed_at: iso(delivery.closed_at) },
  }
}

function selectDrafts(database: Database) {
  return database.kysely
    .selectFrom('draft as d')
    .innerJoin('proposal as p', 'p.id', 'd.proposal_id')
    .leftJoin('run as r', 'r.id', 'p.run_id')
    .select(['d.id', 'd.kind', 'd.connector', 'd.account', 'd.state', 'd.reason', 'd.risk', 'd.frozen_at', 'd.expires_at', 'd.hold_until', 'd.closed_at'])
    .select(['r.job', 'r.id as run', 'd.label_level', 'd.label_integrity', 'd.label_lanes'])
}

type DraftRow = Awaited<ReturnType<ReturnType<typeof selectDrafts>['execute']>>[number]

function draftLine(row: DraftRow, origin: string): DraftLine {
  return {
    id: row.id,
    kind: row.kind,
    connector: row.connector,
    account: row.account,
    state: row.state,
    reason: row.reason,
    risk: row.risk,
    job: row.job ?? 'operator',
    run: row.run,
    label: labelView(row),
    frozen_at: iso(row.frozen_at),
    expires_at: iso(row.expires_at),
    hold_until: iso(row.hold_until),
    closed_at: iso(row.closed_at),
    sign_url: `${origin}/#draft=${row.id}`,
  }
}
