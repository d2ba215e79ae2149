import { formatDuration } from '../../house/index.ts'
import type { SourceView } from '../api.ts'
import { readSources, type SourceDeps } from '../read/sources.ts'
import type { Examination, Finding } from './doctor.ts'

/** Is somebody there to read, how old is what was read, and what went wrong the last time? */
export function sourceExamination(deps: SourceDeps): Examination {
  return { id: 'sources', mend: 'castellan source list', look: () => sources(deps) }
}

async function sources(deps: SourceDeps): Promise<Finding[]> {
  const { reading, sources: declared } = await readSources(deps)
  if (declared.length === 0) return [{ status: 'ok', what: 'no source is declared' }]
  if (!reading) return [{ status: 'fail', what: `${declared.length} source(s) are declared, and nothing reads them: the reader starts with Castellan, and with it get its secrets`, mend: 'castellan down && castellan up' }]
  const now = deps.clock.now()
  return [
    { status: 'ok', what: `${declared.length} source(s), ${declared.filter(({ state }) => state !== 'never').length} of them with a snapshot` },
    ...declared.flatMap((source): Finding[] => [
      ...ageOf(source, now),
      ...lastOf(source),
      ...source.refused_hosts.map((host): Finding => ({ status: 'warn', what: `${source.name}: its command was refused ${JSON.stringify(host)} today; declare it under network if it is meant` })),
    ]),
  ]
}

function ageOf({ name, state, fetched_at: at, max_age_seconds: most }: SourceView, now: Date): Finding[] {
  if (at === null) return [{ status: 'warn', what: `${name}: it was never read; a job has to ask for it with source.refresh` }]
  const minutes = Math.round((now.getTime() - Date.parse(at)) / 60_000)
  return state === 'stale' ? [{ status: 'warn', what: `${name}: its newest snapshot is ${formatDuration(minutes * 60_000)} old, and good for ${formatDuration(most * 1_000)}` }] : []
}

function lastOf({ name, last }: SourceView): Finding[] {
  if (last === null || last.reason === null) return []
  const how = last.state === 'refused' ? 'was refused' : 'failed'
  return [{ status: 'warn', what: `${name}: the last time it was asked for, it ${how} (${last.reason}${last.status === null ? '' : `, ${last.status}`})` }]
}
