import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { formatDuration, type House, type SourceSettings } from '../../house/index.ts'
import type { Examination, Finding } from './doctor.ts'

export interface SourceDeps {
  readonly database: Database
  readonly clock: Clock
  readonly house: () => Pick<House, 'settings'>
}

/** Is somebody there to read, how old is what was read, and what went wrong the last time? */
export function sourceExamination(deps: SourceDeps): Examination {
  return { id: 'sources', mend: 'castellan config explain sources', look: () => sources(deps) }
}

async function sources({ database, clock, house }: SourceDeps): Promise<Finding[]> {
  const declared = house().settings.sources
  if (declared.length === 0) return [{ status: 'ok', what: 'no source is declared' }]
  const reader = await database.kysely.selectFrom('process').select('state').where('name', '=', 'reader').executeTakeFirst()
  if (!reader) return [{ status: 'fail', what: `${declared.length} source(s) are declared, and nothing reads them: the reader starts with Castellan, and with it get its secrets`, mend: 'castellan down && castellan up' }]
  const dayAgo = new Date(clock.now().getTime() - 86_400_000)
  const [snapshots, fetches, refused] = await Promise.all([
    database.kysely.selectFrom('source_snapshot').select(['source', (row) => row.fn.max('fetched_at').as('at')]).groupBy('source').execute(),
    database.kysely.selectFrom('source_fetch').distinctOn('source').select(['source', 'state', 'reason', 'status']).where('closed_at', 'is not', null).orderBy('source').orderBy('asked_at', 'desc').execute(),
    database.kysely.selectFrom('source_connection as c').innerJoin('source_fetch as f', 'f.id', 'c.fetch_id').select(['f.source', 'c.host']).distinct()
      .where('c.outcome', 'like', 'refused:%').where('c.opened_at', '>', dayAgo).orderBy('c.host').limit(20).execute(),
  ])
  return [
    { status: 'ok', what: `${declared.length} source(s), ${snapshots.length} of them with a snapshot` },
    ...declared.flatMap((source): Finding[] => [
      ...ageOf(source, snapshots.find((one) => one.source === source.name)?.at, clock.now()),
      ...fetches.filter((one) => one.source === source.name && one.reason !== null).map(({ state, reason, status }): Finding => (
        { status: 'warn', what: `${source.name}: the last time it was asked for, it ${state === 'refused' ? 'was refused' : 'failed'} (${reason}${status === null ? '' : `, ${status}`})` })),
      ...refused.filter((one) => one.source === source.name).map(({ host }): Finding => ({ status: 'warn', what: `${source.name}: its command was refused ${JSON.stringify(host)} today; declare it under network if it is meant` })),
    ]),
  ]
}

function ageOf({ name, maxAgeMs }: SourceSettings, at: Date | null | undefined, now: Date): Finding[] {
  if (!at) return [{ status: 'warn', what: `${name}: it was never read; a job has to ask for it with source.refresh`, mend: `castellan tool run source.refresh --input '{"source":"${name}"}'` }]
  const age = now.getTime() - at.getTime()
  return age > maxAgeMs ? [{ status: 'warn', what: `${name}: its newest snapshot is ${formatDuration(Math.round(age / 60_000) * 60_000)} old, and good for ${formatDuration(maxAgeMs)}` }] : []
}
