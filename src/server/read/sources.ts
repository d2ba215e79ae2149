import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import type { House } from '../../house/index.ts'
import { toRow } from '../../labels/index.ts'
import type { SourcesView, SourceView } from '../api.ts'
import { labelView } from './label-view.ts'

export interface SourceDeps {
  readonly database: Database
  readonly clock: Clock
  readonly house: () => Pick<House, 'settings'>
}

/** Every declared source: how old its newest snapshot is, and what became of asking. Never what it says. */
export async function readSources({ database, clock, house }: SourceDeps): Promise<SourcesView> {
  const declared = house().settings.sources
  const now = clock.now()
  const dayAgo = new Date(now.getTime() - 86_400_000)
  const [reader, snapshots, last, tallies, refused] = await Promise.all([
    database.kysely.selectFrom('process').select('state').where('name', '=', 'reader').executeTakeFirst(),
    database.kysely.selectFrom('source_snapshot').select(['source', (row) => row.fn.max('fetched_at').as('at')]).groupBy('source').execute(),
    database.kysely.selectFrom('source_fetch').distinctOn('source').select(['source', 'state', 'reason', 'status', 'asked_at']).where('closed_at', 'is not', null).orderBy('source').orderBy('asked_at', 'desc').execute(),
    database.kysely.selectFrom('source_fetch').select(['source', 'state', sql<number>`count(*)::int`.as('count'), sql<number>`coalesce(sum(bytes), 0)::float8`.as('bytes')]).where('asked_at', '>', dayAgo).groupBy(['source', 'state']).execute(),
    database.kysely.selectFrom('source_connection as c').innerJoin('source_fetch as f', 'f.id', 'c.fetch_id').select(['f.source', 'c.host']).distinct()
      .where('c.outcome', 'like', 'refused:%').where('c.opened_at', '>', dayAgo).orderBy('c.host').limit(100).execute(),
  ])
  return {
    reading: reader !== undefined,
    sources: declared.map(({ name, kind, label, maxAgeMs }): SourceView => {
      const at = snapshots.find(({ source }) => source === name)?.at ?? null
      const of = (state: string) => tallies.find((tally) => tally.source === name && tally.state === state)
      const found = last.find(({ source }) => source === name)
      return {
        name, kind, label: labelView(toRow(label)),
        state: at === null ? 'never' : now.getTime() - at.getTime() > maxAgeMs ? 'stale' : 'fresh',
        fetched_at: at?.toISOString() ?? null,
        max_age_seconds: Math.round(maxAgeMs / 1_000),
        today: { fetched: of('fetched')?.count ?? 0, failed: of('failed')?.count ?? 0, refused: of('refused')?.count ?? 0, bytes: of('fetched')?.bytes ?? 0 },
        last: found ? { state: found.state as 'fetched' | 'failed' | 'refused', reason: found.reason, status: found.status, at: found.asked_at.toISOString() } : null,
        refused_hosts: refused.filter(({ source }) => source === name).map(({ host }) => host),
      }
    }),
  }
}
