import type { Receipt } from './connectors/connector.ts'
import type { Queryable } from './draft-store.ts'

/** What is asked of deliveries beside the drafts they belong to; those themselves are opened and closed in draft-store.ts. */

/**
 * When the draft left that is, counted back from now, the one of that number through a connector; nothing when fewer left since then.
 * One that is on its way counts, and one of which nobody knows whether it left.
 */
export async function releaseCountedBack(query: Queryable, connector: string, number: number, since: Date, now: Date): Promise<Date | undefined> {
  const { rows } = await query.query<{ at: Date }>(
    `select at from (
       select coalesce(y.closed_at, $4) as at from delivery y join draft d on d.id = y.draft_id
       where d.connector = $1 and (y.state in ('delivered', 'unknown') or d.state = 'releasing')) left_then
     where at > $3 order by at desc offset $2 limit 1`,
    [connector, number - 1, since, now],
  )
  return rows[0]?.at
}

/** Did a try of this draft end so that the other side may have it? */
export async function mayHaveLeft(query: Queryable, draft: string): Promise<boolean> {
  const { rows } = await query.query('select from delivery where draft_id = $1 and may_have_left', [draft])
  return rows.length > 0
}

/** Written before the next try is made possible: no later one that was refused takes it back. */
export async function noteMayHaveLeft(query: Queryable, draft: string): Promise<void> {
  await query.query('update delivery set may_have_left = true where draft_id = $1', [draft])
}

/** What the outside world answered, and since when it is undone. */
export async function findReceipt(query: Queryable, draft: string): Promise<Receipt | undefined> {
  const { rows } = await query.query<{ receipt: Receipt | null }>('select receipt from delivery where draft_id = $1', [draft])
  return rows[0]?.receipt ?? undefined
}

export async function noteUndone(client: Queryable, draft: string, receipt: Receipt): Promise<void> {
  await client.query('update delivery set receipt = $2 where draft_id = $1', [draft, JSON.stringify(receipt)])
}

/** The drafts of this connector and account that were tried and will not be carried out, so that what a try made ready outside is to be taken away. None while the outbox is fenced. */
export async function undiscarded(query: Queryable, { name, account }: { readonly name: string; readonly account: string }): Promise<{ id: string; wire: Buffer }[]> {
  const { rows } = await query.query<{ id: string; wire: Buffer }>(
    `select d.id, d.wire from delivery y join draft d on d.id = y.draft_id
     where y.discarded_at is null and y.state in ('failed', 'unknown') and d.state in ('failed', 'undone') and d.connector = $1 and d.account = $2 and length(d.wire) > 0
       and not exists (select 1 from releaser_state where fence_id is not null)
     order by y.started_at, d.id limit 20`,
    [name, account],
  )
  return rows
}

export async function noteDiscarded(client: Queryable, draft: string, at: Date): Promise<void> {
  await client.query('update delivery set discarded_at = $2 where draft_id = $1', [draft, at])
}
