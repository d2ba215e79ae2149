import type { Database } from '../../kernel/database/connect.ts'
import type { DraftLine } from '../api.ts'
import { iso, labelView } from './label-view.ts'

/** When the drafts that the operator put off are back, the soonest first. */
export async function snoozedDrafts(database: Database, now: Date): Promise<string[]> {
  const rows = await database.kysely.selectFrom('draft').select('snoozed_until')
    .where('state', '=', 'waiting').where('expires_at', '>', now).where('snoozed_until', '>', now).orderBy('snoozed_until').execute()
  return rows.map((row) => iso(row.snoozed_until!))
}

/** Drafts that only the operator can move on: those that wait for a signature, and those whose sending is in doubt. The soonest expiry first; without those that he put off. */
export async function draftsForOperator(database: Database, now: Date): Promise<DraftLine[]> {
  const rows = await database.kysely
    .selectFrom('draft as d')
    .innerJoin('proposal as p', 'p.id', 'd.proposal_id')
    .innerJoin('run as r', 'r.id', 'p.run_id')
    .select(['d.id', 'd.kind', 'd.connector', 'd.account', 'd.state', 'd.risk', 'd.frozen_at', 'd.expires_at', 'r.job', 'r.id as run'])
    .select(['d.label_level', 'd.label_integrity', 'd.label_lanes'])
    .where((either) => either.or([either('d.state', '=', 'unknown'), either.and([either('d.state', '=', 'waiting'), either('d.expires_at', '>', now), either.or([either('d.snoozed_until', 'is', null), either('d.snoozed_until', '<=', now)])])]))
    .orderBy('d.expires_at')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    connector: row.connector,
    account: row.account,
    state: row.state,
    risk: row.risk,
    job: row.job,
    run: row.run,
    label: labelView(row),
    frozen_at: iso(row.frozen_at),
    expires_at: iso(row.expires_at),
  }))
}
