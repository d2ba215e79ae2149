import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import { allTopics, topicsOf, type Topic } from './topics.ts'

/** Where the reading of the audit stands: every transaction before `xid` has ended, and these events after it were seen. */
export interface Cursor {
  readonly xid: string
  readonly seen: ReadonlySet<string>
  readonly house: string
}

const mostEvents = 2_000

/**
 * What changed since a cursor. Events are found by their transaction and not by their number: one that commits late
 * has a low number, and would be missed.
 */
export async function readChanges(database: Database, since: Cursor | undefined): Promise<{ cursor: Cursor; topics: ReadonlySet<Topic> }> {
  const { rows } = await sql<{ next: string; house: string; events: [string, string][] }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as next,
      md5(concat(
        (select string_agg(concat_ws(',', name, state, pid, restarts), ';' order by name) from process),
        (select problems from supervisor), (select digest from house where current))) as house,
      (select coalesce(jsonb_agg(jsonb_build_array(id::text, kind)), '[]') from (
        select id, kind from audit_event where xid >= ${since?.xid ?? null}::xid8 order by xid, id limit ${mostEvents}) e) as events`.execute(database.kysely)
  const { next, house, events } = rows[0]!
  const cursor = { xid: next, seen: new Set(events.map(([id]) => id)), house }
  if (since === undefined) return { cursor, topics: new Set() }
  if (events.length === mostEvents) return { cursor, topics: new Set(allTopics) }
  const topics = new Set(events.filter(([id]) => !since.seen.has(id)).flatMap(([, kind]) => topicsOf(kind)))
  if (house !== since.house) topics.add('house')
  return { cursor, topics }
}

/** A value for each of these runs that is another one when anything that its page shows has changed. */
export async function runVersions(database: Database, runs: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; version: string }>`
    select r.id, md5(concat_ws('|', r.state, r.fence, r.not_before, r.label_level, r.error, r.closed_at,
      (select string_agg(concat_ws(',', s.id, s.state, s.attempt, s.failures, s.closed_at), ';' order by s.position) from step s where s.run_id = r.id),
      (select max(l.id) from run_log l where l.run_id = r.id),
      (select string_agg(concat_ws(',', p.id, p.state, d.id, d.state), ';' order by p.id, d.id)
        from proposal p left join draft d on d.proposal_id = p.id where p.run_id = r.id))) as version
    from run r where r.id = any(${runs}::uuid[])`.execute(database.kysely)
  return new Map(rows.map(({ id, version }) => [id, version]))
}
