import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { House } from '../../house/index.ts'
import type { GateReport } from '../../models/index.ts'
import type { UpstreamView } from '../api.ts'
import { unsignedMachines, upstreamStates } from './upstreams.ts'

/** EUR, 0 without any call; null when the price of one of them is not known, for a sum without it would pretend. */
const totalCost = sql<number | null>`case when bool_or(cost_eur is null) then null else coalesce(sum(cost_eur), 0)::float8 end`

/** EUR spent on model calls since a moment, null when nobody knows. */
export async function spentSince(database: Database, since: Date): Promise<number | null> {
  const { rows } = await sql<{ eur: number | null }>`
    select ${totalCost} as eur from model_call where opened_at >= ${since}`.execute(database.kysely)
  return rows[0]!.eur
}

/**
 * Words above their clearance that reached a cloud model, counted from the call ledger rather than promised: input tokens of calls
 * whose label was higher than what their lanes, or an act of the operator, cleared at that moment; one for a call that does not say how many.
 */
export async function privateWordsLeft(database: Database, since?: Date): Promise<number> {
  const { rows } = await sql<{ words: number }>`
    select coalesce(sum(greatest(coalesce(input_tokens, 0), 1)), 0)::int as words from model_call
    where gate = 'cloud' and zone in ('cloud', 'internet') and state <> 'refused' and not cloud_was_cleared(label_lanes, upstream, label_level, opened_at)
      and opened_at >= ${since ?? new Date(0)}`.execute(database.kysely)
  return rows[0]!.words
}

/** The upstreams of the house: how they are, and what was asked of them since a moment. */
export async function listUpstreams(database: Database, house: House, reports: readonly GateReport[], since: Date): Promise<UpstreamView[]> {
  const { upstreams, routes } = house.settings.models
  const { rows } = await sql<{ upstream: string; calls: number; failed: number; input: number; output: number; eur: number | null }>`
    select upstream, count(*)::int as calls, count(*) filter (where state in ('failed', 'abandoned'))::int as failed,
      coalesce(sum(input_tokens), 0)::int as input, coalesce(sum(output_tokens), 0)::int as output, ${totalCost} as eur
    from model_call where opened_at >= ${since} and upstream is not null group by upstream`.execute(database.kysely)
  const asked = new Map(rows.map((row) => [row.upstream, row]))
  const states = upstreamStates(upstreams, reports)
  const unsigned = await unsignedMachines(database, house)
  return upstreams.map(({ name, ...upstream }, index) => {
    const seen = asked.get(name)
    return {
      ...states[index]!,
      kind: upstream.kind,
      // as its gate has it: of the mesh, whether or not it may see P3
      zone: upstream.own ? 'mesh' : upstream.zone,
      owned: upstream.own ? !unsigned.includes(name) : null,
      url: upstream.url,
      routes: Object.entries(routes).flatMap(([task, models]) =>
        models.filter((route) => route.upstream === name).map((route) => ({ task, model: route.model }))),
      calls: seen?.calls ?? 0,
      failed: seen?.failed ?? 0,
      input_tokens: seen?.input ?? 0,
      output_tokens: seen?.output ?? 0,
      cost_eur: seen === undefined ? 0 : seen.eur,
    }
  })
}
