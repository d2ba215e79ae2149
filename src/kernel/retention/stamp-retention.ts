import type { Database } from '../database/connect.ts'

/** How long things are kept once they are closed or stored, in milliseconds. */
export interface Retention {
  readonly runLogMs: number
  readonly runsMs: number
  readonly mailMs: number
  readonly modelCallsMs: number
  readonly webhooksMs: number
  readonly sourcesMs: number
  readonly batchesMs: number
  readonly alertsMs: number
  readonly outboxMs: number
}

const batch = 1_000

/** Writes `retain_until` where it is missing and the row is closed or stored for good. */
export async function stampRetention(owner: Database, { runLogMs, runsMs, mailMs, modelCallsMs, webhooksMs, sourcesMs, batchesMs, alertsMs, outboxMs }: Retention): Promise<void> {
  const all = async (text: string, ...spans: number[]): Promise<void> => {
    for (;;) {
      const { rowCount } = await owner.pool.query(text, [batch, ...spans])
      if ((rowCount ?? 0) < batch) return
    }
  }
  await all(runs, runsMs, runLogMs)
  await all(occurrences, runsMs)
  await all(messages, mailMs)
  await all(calls, modelCallsMs)
  for (const text of [...money, ...keys]) await all(text, modelCallsMs)
  await all(events, webhooksMs)
  for (const text of sources) await all(text, sourcesMs)
  await owner.pool.query(abandonedBatches)
  for (const text of batches) await all(text, batchesMs)
  await all(alerts, alertsMs)
  await all(proposals, outboxMs)
  await all(orders, outboxMs)
}

const runs = `
  with closed as (
    select id, occurrence_id, closed_at + $2 * interval '1 ms' as until from run
    where closed_at is not null and retain_until is null limit $1 for no key update skip locked
  ), occurrences as (
    update occurrence set retain_until = until from closed where occurrence.id = occurrence_id
  ), steps as (
    update step set retain_until = until from closed where run_id = closed.id
  ), lines as (
    update run_log set retain_until = at + $3 * interval '1 ms' from closed where run_id = closed.id and retain_until is null
  )
  update run set retain_until = until from closed where run.id = closed.id`

/** Slots that had no run. */
const occurrences = `
  update occurrence set retain_until = closed_at + $2 * interval '1 ms' where id in (
    select id from occurrence o where state <> 'due' and retain_until is null and not exists (select 1 from run where occurrence_id = o.id) limit $1)`

const messages = `
  with stamped as (
    update mail_message set retain_until = stored_at + $2 * interval '1 ms' where id in (
      select id from mail_message where retain_until is null limit $1)
    returning raw_hash, retain_until
  ), contents as (
    update content c set retain_until = greatest(c.retain_until, s.until)
    from (select raw_hash, max(retain_until) as until from stamped group by raw_hash) s where c.hash = s.raw_hash
  )
  select 1 from stamped`

const calls = `
  update model_call set retain_until = coalesce(closed_at, opened_at) + $2 * interval '1 ms' where id in (
    select id from model_call where retain_until is null and state <> 'open' limit $1)`

const events = `
  update inbound_event set retain_until = received_at + $2 * interval '1 ms' where id in (select id from inbound_event where retain_until is null limit $1)`

const sources = [
  `update source_fetch set retain_until = closed_at + $2 * interval '1 ms' where id in (select id from source_fetch where retain_until is null and closed_at is not null limit $1)`,
  `update source_snapshot set retain_until = fetched_at + $2 * interval '1 ms' where (source, params_key) in (select source, params_key from source_snapshot where retain_until is null limit $1)`,
]

/** What ceilings counted, as long as the calls that they counted. */
const money = [
  `update budget_block set retain_until = closed_at + $2 * interval '1 ms' where id in (select id from budget_block where retain_until is null and state = 'closed' limit $1)`,
  `update budget_account set retain_until = ends_at + $2 * interval '1 ms' where (ceiling, starts_at) in (select ceiling, starts_at from budget_account where retain_until is null limit $1)`,
  `update budget_alert set retain_until = at + $2 * interval '1 ms' where (ceiling, starts_at, percent) in (select ceiling, starts_at, percent from budget_alert where retain_until is null limit $1)`,
  `update exchange_rate set retain_until = recorded_at + $2 * interval '1 ms' where day in (select day from exchange_rate where retain_until is null limit $1)`,
]

/** Keys and clearances that are over: as long as the calls that they let through. */
const keys = ['client_key', 'clearance'].map((table) => `
  update ${table} set retain_until = least(revoked_at, expires_at) + $2 * interval '1 ms' where id in (
    select id from ${table} where retain_until is null and (revoked_at is not null or expires_at < clock_timestamp()) limit $1)`)

/** Of a gate that no longer sees them, because their lane lost its clearance, or that never came back. */
const abandonedBatches = `update batch set state = 'expired', closed_at = clock_timestamp() where closed_at is null and window_ends_at < clock_timestamp() - interval '1 day'`

const batches = [
  `update batch set retain_until = closed_at + $2 * interval '1 ms' where id in (select id from batch where retain_until is null and closed_at is not null limit $1)`,
  `update batch_file set retain_until = made_at + $2 * interval '1 ms' where id in (select id from batch_file where retain_until is null limit $1)`,
]

const alerts = `
  update alert set retain_until = closed_at + $2 * interval '1 ms' where id in (
    -- alerts are locked in the order of their ids, by whoever locks more than one
    select id from alert where closed_at is not null and retain_until is null order by id limit $1 for update)`

/** Orders that are over or were taken back: what they said, not that they approved something. */
const orders = `
  update standing_order set retain_until = least(revoked_at, expires_at) + $2 * interval '1 ms' where id in (
    select id from standing_order where retain_until is null and (revoked_at is not null or expires_at < clock_timestamp()) limit $1)`

/** A proposal is over when its last draft is; one of which nobody knows whether it left waits for the operator's word. */
const proposals = `
  with closed as (
    select p.id, coalesce(max(d.closed_at), p.proposed_at) + $2 * interval '1 ms' as until
    from proposal p left join run r on r.id = p.run_id left join draft d on d.proposal_id = p.id
    where p.retain_until is null and p.state <> 'proposed' and (p.run_id is null or r.closed_at is not null)
    group by p.id
    having count(d.id) filter (where d.closed_at is null or d.state = 'unknown') = 0 and (count(d.id) > 0 or p.state = 'refused')
    limit $1
  ), drafts as (
    update draft set retain_until = until from closed where proposal_id = closed.id
  )
  update proposal set retain_until = until from closed where proposal.id = closed.id`
