import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import type { House, WebhookSettings } from '../../house/index.ts'
import { toRow } from '../../labels/index.ts'
import type { StatusView, WebhooksView, WebhookView } from '../api.ts'
import { labelView } from './label-view.ts'

/** What this process listens for. Its secrets are not among it. */
export interface WebhookListener {
  readonly port: number | null
  /** Why nothing can be delivered to this one, in words. */
  problemsOf(webhook: WebhookSettings): readonly string[]
}

export interface WebhookDeps {
  readonly database: Database
  readonly clock: Clock
  readonly house: () => Pick<House, 'settings'>
  readonly webhooks: WebhookListener
}

const takenIn = ['stored', 'replayed', 'unwanted'] as const

/** Every declared webhook: whether it can be reached, what it starts, and what came today. */
export async function readWebhooks({ database, clock, house, webhooks }: WebhookDeps): Promise<WebhooksView> {
  const declared = house().settings.webhooks
  const [tallies, jobs, events] = await Promise.all([readTallies(database, clock), readJobs(database), readEvents(database)])
  return {
    port: webhooks.port,
    unknown: tallies.reduce((sum, { source, count }) => sum + (source === '?' ? count : 0), 0),
    webhooks: declared.map((webhook): WebhookView => {
      const own = tallies.filter(({ source }) => source === webhook.name)
      const reasons = Object.fromEntries(own.flatMap(({ outcome, count }) => ((takenIn as readonly string[]).includes(outcome) ? [] : [[outcome, count] as const])))
      const of = (outcome: string) => own.find((tally) => tally.outcome === outcome)?.count ?? 0
      const problems = [...webhooks.problemsOf(webhook)]
      const found = events.find(({ source }) => source === webhook.name)
      return {
        name: webhook.name, kind: webhook.kind,
        state: webhooks.port === null ? 'not_listening' : problems.length > 0 ? 'broken' : 'listening',
        problems, path: `/hooks/${webhook.name}${webhook.kind === 'gumroad' ? '/SECRET' : ''}`,
        secrets: webhook.secrets.map(({ secret }) => secret), label: labelView(toRow(webhook.label)), events: [...webhook.events],
        jobs: jobs.filter(({ source }) => source === webhook.name).map(({ job }) => job),
        today: { stored: of('stored'), replayed: of('replayed'), unwanted: of('unwanted'), refused: Object.values(reasons).reduce((sum, count) => sum + count, 0), reasons },
        waiting: found?.waiting ?? 0,
        last_at: found?.last_at?.toISOString() ?? null,
      }
    }),
  }
}

/** The same in two numbers, for the status. */
export async function countWebhooks({ database, clock, house, webhooks }: WebhookDeps): Promise<StatusView['webhooks']> {
  const tallies = await readTallies(database, clock)
  const sum = (wanted: (outcome: string) => boolean) => tallies.reduce((total, { outcome, count }) => total + (wanted(outcome) ? count : 0), 0)
  return {
    port: webhooks.port, declared: house().settings.webhooks.length,
    stored_today: sum((outcome) => outcome === 'stored'), refused_today: sum((outcome) => !(takenIn as readonly string[]).includes(outcome)),
  }
}

async function readTallies(database: Database, clock: Clock): Promise<{ source: string; outcome: string; count: number }[]> {
  return database.kysely.selectFrom('inbound_tally').select(['source', 'outcome', 'count']).where('day', '=', clock.now().toISOString().slice(0, 10)).execute()
}

async function readJobs(database: Database): Promise<{ source: string; job: string }[]> {
  const { rows } = await sql<{ source: string; job: string }>`
    select d.definition -> 'webhook' ->> 'name' as source, j.name as job from job j join job_definition d on d.digest = j.digest
    where j.declared and d.definition -> 'webhook' is not null order by j.name`.execute(database.kysely)
  return rows
}

async function readEvents(database: Database): Promise<{ source: string; waiting: number; last_at: Date | null }[]> {
  const { rows } = await sql<{ source: string; waiting: number; last_at: Date | null }>`
    select e.source, max(e.received_at) as last_at,
      (select count(*)::int from inbound_run r join inbound_event o on o.id = r.event_id where r.outcome is null and o.source = e.source) as waiting
    from inbound_event e group by e.source`.execute(database.kysely)
  return rows
}
