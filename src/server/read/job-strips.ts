import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { StripSlot } from '../api.ts'

const shownSlots = 30

/**
 * The last slots of every declared job, the oldest first: one query, an index scan of thirty rows for each job. A row for each
 * job and not for each slot: reading six hundred rows takes longer than finding them.
 */
export async function readStrips(database: Database): Promise<Map<string, StripSlot[]>> {
  const { rows } = await sql<{ job: string; slots: readonly [number, string, StripSlot['state'], string | null, string | null, StripSlot['run_state']][] }>`
    select j.name as job, s.slots
    from job j
    cross join lateral (
      select json_agg(json_build_array((extract(epoch from o.slot) * 1000)::bigint, o.origin, o.state, o.reason, r.id, r.state) order by o.slot) as slots
      from (select id, slot, origin, state, reason from occurrence where job = j.name order by slot desc limit ${shownSlots}) o
      left join run r on r.occurrence_id = o.id) s
    where j.declared and j.name not like 'tool.%' and s.slots is not null`.execute(database.kysely)
  return new Map(rows.map(({ job, slots }) => [
    job,
    slots.map(([slot, origin, state, reason, run, run_state]) => ({ slot: new Date(slot).toISOString(), origin, state, reason, run, run_state })),
  ]))
}
