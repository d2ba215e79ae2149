import type { Database } from '../database/connect.ts'

const batch = 500

/** Removes closed runs whose time is over, with their steps and log; one that a proposal or a call names stays, emptied. Returns how many. */
export async function sweepRuns(owner: Database, now: Date): Promise<number> {
  for (let total = 0; ; ) {
    const swept = await owner.transaction(async (client) => {
      const { rows } = await client.query<{ id: string }>(due, [now, batch])
      const runs = rows.map(({ id }) => id)
      await client.query(remove, [runs])
      await client.query(empty, [runs])
      await client.query('update step set output = null, error = null where run_id = any ($1)', [runs])
      await client.query('delete from run_log where run_id = any ($1)', [runs])
      return runs.length
    })
    total += swept
    if (swept < batch) return total
  }
}

/** A run that is just being taken up again is locked, and passed over. */
const due = `
  select id from run r
  where retain_until < $1 and closed_at is not null
    and (swept_at is null or not exists (select 1 from proposal where run_id = r.id) and not exists (select 1 from session where run_id = r.id))
  limit $2 for update skip locked`

const remove = `
  delete from run r where id = any ($1)
    and not exists (select 1 from proposal where run_id = r.id) and not exists (select 1 from session where run_id = r.id)`

/** Of an error its code stays: how it ended is no secret, the message may tell what it was about. */
const empty = `
  update run set swept_at = clock_timestamp(), input = '{}', error = case when error is not null then jsonb_build_object('code', error -> 'code') end
  where id = any ($1)`
