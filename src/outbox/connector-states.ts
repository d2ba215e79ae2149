import { Fault, toFault } from '../kernel/fault.ts'
import type { OutboxDeps } from './change.ts'
import type { Connector } from './connectors/connector.ts'
import type { DraftState } from './draft.ts'
import type { Queryable } from './draft-store.ts'

/** How one way out is doing, as far as what went through it tells. */
export interface ConnectorState {
  readonly name: string
  readonly kind: string
  readonly account: string
  readonly from: string
  /** Why nothing may leave through it, or null. */
  readonly refusal: string | null
  readonly last_delivery: { readonly draft: string; readonly at: Date; readonly reply: string | null } | null
  /** Its newest draft that failed, is in doubt, or waits for another try. */
  readonly last_problem: { readonly draft: string; readonly at: Date; readonly state: DraftState; readonly reason: string } | null
  /** Copies of what was sent that could not be filed yet, or never will be. */
  readonly copies: { readonly late: number; readonly failed: number }
}

/** What the other side says of itself when it is greeted. */
export type Reached = { readonly ok: true; readonly said: string } | { readonly ok: false; readonly what: string }

const patienceMs = 2_000

/** Every connector of the house, with what went through it last. */
export async function connectorStates({ database, connectors }: Pick<OutboxDeps, 'database' | 'connectors'>): Promise<ConnectorState[]> {
  const known = connectors()
  const found = await lastOf(database.pool, known.all().map(({ name }) => name))
  return known.all().map((connector) => ({
    name: connector.name, kind: connector.kind, account: connector.account, from: connector.from,
    refusal: known.refusal(connector) ?? null,
    ...found.get(connector.name)!,
  }))
}

/** Is the other side there? Nothing is sent. Nothing when this connector has no other side. */
export async function reachConnector(connector: Connector): Promise<Reached | null> {
  if (!connector.reach) return null
  try {
    return { ok: true, said: await connector.reach(AbortSignal.timeout(patienceMs)) }
  } catch (error) {
    return { ok: false, what: toFault(error).message }
  }
}

/** @throws Fault `connector.missing` */
export function findConnector({ connectors }: Pick<OutboxDeps, 'connectors'>, name: string): Connector {
  const connector = connectors().find(name)
  if (!connector) throw new Fault('missing', 'connector.missing', `there is no connector ${name}; castellan.yaml declares them under outbox.connectors`)
  return connector
}

type Last = Pick<ConnectorState, 'last_delivery' | 'last_problem' | 'copies'>

async function lastOf(query: Queryable, names: readonly string[]): Promise<Map<string, Last>> {
  const { rows } = await query.query<{
    name: string; delivered: string | null; delivered_at: Date | null; reply: string | null
    draft: string | null; state: DraftState | null; reason: string | null; at: Date | null; late: number; failed: number
  }>(
    `select asked.name, sent.*, problem.*, copies.*
     from unnest($1::text[]) as asked(name)
     left join lateral (
       select d.id as delivered, y.closed_at as delivered_at, y.receipt ->> 'reply' as reply
       from draft d join delivery y on y.draft_id = d.id where d.connector = asked.name and y.state = 'delivered' order by y.closed_at desc limit 1) sent on true
     left join lateral (
       select d.id as draft, d.state, d.reason, coalesce(d.closed_at, y.started_at) as at
       from draft d join delivery y on y.draft_id = d.id
       where d.connector = asked.name and d.state in ('failed', 'unknown', 'held') and d.reason is not null order by 4 desc limit 1) problem on true
     cross join lateral (
       select count(*) filter (where y.sent_copy = 'waiting' and y.sent_copy_tries > 0)::int as late, count(*) filter (where y.sent_copy = 'failed')::int as failed
       from draft d join delivery y on y.draft_id = d.id where d.connector = asked.name and y.sent_copy in ('waiting', 'failed')) copies`,
    [names],
  )
  return new Map(rows.map((row) => [row.name, {
    last_delivery: row.delivered === null ? null : { draft: row.delivered, at: row.delivered_at!, reply: row.reply },
    last_problem: row.draft === null ? null : { draft: row.draft, at: row.at!, state: row.state!, reason: row.reason! },
    copies: { late: row.late, failed: row.failed },
  }]))
}
