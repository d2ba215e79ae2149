import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { RunSummary, StripSlot } from '../api.ts'

const shownSlots = 30

/** The last slots of every declared job, the oldest first: one query, an index scan of thirty rows for each job. */
export async function readStrips(database: Database): Promise<Map<string, StripSlot[]>> {
  const { rows } = await sql<{ job: string; slot: Date; origin: string; state: StripSlot['state']; reason: string | null; run: string | null; run_state: RunSummary['state'] | null }>`
    select j.name as job, o.slot, o.origin, o.state, o.reason, r.id as run, r.state as run_state
    from job j
    cross join lateral (select id, slot, origin, state, reason from occurrence where job = j.name order by slot desc limit ${shownSlots}) o
    left join run r on r.occurrence_id = o.id
    where j.declared and j.name not like 'tool.%' order by j.name, o.slot`.execute(database.kysely)
  const strips = new Map<string, StripSlot[]>()
  for (const { job, slot, ...rest } of rows) {
    const strip = strips.get(job) ?? []
    strip.push({ slot: slot.toISOString(), ...rest })
    strips.set(job, strip)
  }
  return strips
}
