import type { Database } from '../database/connect.ts'
import { stampRetention, type Retention } from './stamp-retention.ts'
import { sweepRuns } from './sweep-runs.ts'

/** How many rows of each kind a sweep removed or emptied. */
export interface Swept {
  readonly logLines: number
  readonly calls: number
  readonly declassifications: number
  /** Rows of blocks, accounts, alerts and rates. */
  readonly money: number
  /** And their files. */
  readonly batches: number
  readonly sessions: number
  /** Of clients, and what was cleared by an act. */
  readonly keys: number
  readonly proposals: number
  /** Standing orders that are over: what they said. */
  readonly orders: number
  readonly runs: number
  readonly occurrences: number
  readonly messages: number
  readonly contents: number
  /** Of webhooks, with what they are known again by. */
  readonly events: number
  /** What was asked of them, and what they answered. */
  readonly sources: number
  /** And the signals that were counted for them. */
  readonly alerts: number
}

const batch = 5_000

/**
 * Says of everything that is closed until when it is kept, and removes what was kept long enough. Nothing of an open run
 * or an open draft is touched. Rows go, but for those that something later is checked against: of a draft its nonce, of a
 * message its name in the mailbox, of content its hash, of a job its last slot. The audit keeps the hashes of all of it.
 * As the owner, in small transactions; a sweep that dies is finished by the next.
 */
export async function sweepRetention(owner: Database, { retention, now = new Date() }: { retention: Retention; now?: Date }): Promise<Swept> {
  await stampRetention(owner, retention)
  const until = async (text: string): Promise<number> => {
    for (let total = 0; ; ) {
      const { rowCount } = await owner.pool.query(text, [now, batch])
      total += rowCount ?? 0
      if ((rowCount ?? 0) < batch) return total
    }
  }
  // in this order: a session goes when its calls are gone, a run when its sessions are, an occurrence when its run is
  const swept = {
    logLines: await until(logLines),
    calls: await until(calls),
    declassifications: await until(declassifications),
    money: (await until(blocks)) + (await until(accounts)) + (await until(budgetAlerts)) + (await until(rates)),
    batches: (await until(batches)) + (await until(batchFiles)),
    sessions: await until(sessions),
    keys: (await until(clientKeys)) + (await until(clearances)),
    proposals: await until(proposals),
    orders: await until(orders),
    runs: await sweepRuns(owner, now),
    occurrences: await until(occurrences),
    messages: await until(messages),
    contents: await until(contents),
    events: (await until(events)) + (await until(seen)) + (await until(tallies)),
    sources: (await until(snapshots)) + (await until(fetches)),
    alerts: (await until(alerts)) + (await until(signals)),
  }
  if (Object.values(swept).some((count) => count > 0)) {
    await owner.pool.query(`select audit_write('retention.swept', 'up', $1)`, [JSON.stringify(swept)])
  }
  return swept
}

const logLines = `
  delete from run_log where id in (
    select l.id from run_log l join run r on r.id = l.run_id where l.retain_until < $1 and r.closed_at is not null limit $2)`

const calls = `
  delete from model_call where id in (
    select c.id from model_call c left join run r on r.id = c.run_id
    where c.retain_until < $1 and c.state <> 'open' and (c.run_id is null or r.closed_at is not null) limit $2)`

const declassifications = `
  delete from declassification where id in (select id from declassification where retain_until < $1 limit $2)`

const blocks = `
  delete from budget_block where id in (select id from budget_block where retain_until < $1 and state = 'closed' limit $2)`

const accounts = `
  delete from budget_account a where (ceiling, starts_at) in (
    select ceiling, starts_at from budget_account b
    where retain_until < $1 and not exists (select 1 from budget_block_account where ceiling = b.ceiling and starts_at = b.starts_at) limit $2)`

const budgetAlerts = `
  delete from budget_alert where (ceiling, starts_at, percent) in (select ceiling, starts_at, percent from budget_alert where retain_until < $1 limit $2)`

const rates = `
  delete from exchange_rate where day in (select day from exchange_rate where retain_until < $1 limit $2)`

const batches = `
  delete from batch where id in (select id from batch where retain_until < $1 and closed_at is not null limit $2)`

const batchFiles = `
  delete from batch_file where id in (
    select id from batch_file f where retain_until < $1 and not exists (select 1 from batch where input_file_id = f.id and closed_at is null) limit $2)`

const sessions = `
  delete from session where id in (
    select id from session s where expires_at < $1::timestamptz - interval '1 day' and not exists (select 1 from model_call where session_id = s.id) limit $2)`

const clientKeys = `
  delete from client_key where id in (
    select id from client_key k where retain_until < $1 and not exists (select 1 from model_call where key_id = k.id) limit $2)`

const clearances = `
  delete from clearance where id in (
    -- a call may have ended a while after what let it through
    select id from clearance where retain_until < $1::timestamptz - interval '1 day' limit $2)`

// Drafts keep their nonces, decisions their signatures, and proposals the key by which the same act is known again.
const proposals = `
  with due as (
    select p.id from proposal p left join run r on r.id = p.run_id
    where p.retain_until < $1 and (p.run_id is null or r.closed_at is not null)
      and (p.payload <> '{}' or p.refusal is not null or exists (select 1 from draft where proposal_id = p.id and document <> ''))
      and not exists (select 1 from draft where proposal_id = p.id and (closed_at is null or state = 'unknown'))
    limit $2 for update of p skip locked
  ), drafts as (
    update draft set document = '', wire = '', summary = '{}', reason = null from due where proposal_id = due.id
  ), decisions as (
    update decision set reason = null from draft d join due on d.proposal_id = due.id where draft_id = d.id
  ), deliveries as (
    update delivery set receipt = null, sent_copy_reason = null from draft d join due on d.proposal_id = due.id where draft_id = d.id
  )
  update proposal set payload = '{}', refusal = null from due where proposal.id = due.id`

// That it stood, and what it approved, stays.
const orders = `
  update standing_order set document = '', wire = '', revoked_at = coalesce(revoked_at, expires_at) where id in (
    select id from standing_order where retain_until < $1 and document <> '' limit $2)`

// The newest slot of a schedule stays: what lies before it has been answered for.
const occurrences = `
  delete from occurrence where id in (
    select o.id from occurrence o
    where o.retain_until < $1 and o.state <> 'due' and not exists (select 1 from run where occurrence_id = o.id)
      and (o.origin <> 'schedule' or o.slot < (select max(slot) from occurrence where job = o.job and origin = 'schedule'))
    limit $2)`

// The row stays, or the message would be taken from the mailbox again.
const messages = `
  update mail_message set envelope = null, body_text = null, parse_error = null, message_id = null, parsed_at = coalesce(parsed_at, $1) where id in (
    select id from mail_message
    where retain_until < $1 and (envelope is not null or body_text is not null or parse_error is not null or message_id is not null or parsed_at is null)
    limit $2)`

const contents = `
  update content set body = null where hash in (
    select hash from content c where retain_until < $1 and body is not null
      and not exists (select 1 from mail_message where raw_hash = c.hash and (retain_until is null or retain_until >= $1))
    limit $2)`

// An event that still waits for its run, or whose run is not over, stays.
const events = `
  delete from inbound_event where id in (
    select id from inbound_event e
    where retain_until < $1 and not exists (
      select 1 from inbound_run i left join run r on r.id = i.run_id
      where i.event_id = e.id and (i.outcome is null and exists (select 1 from job where name = i.job and declared) or r.closed_at is null and r.id is not null))
    limit $2)`

const seen = `
  delete from inbound_seen where (source, key) in (select source, key from inbound_seen where retain_until < $1 limit $2)`

const tallies = `
  delete from inbound_tally where (source, day, outcome) in (select source, day, outcome from inbound_tally where last_at < $1::timestamptz - interval '400 days' limit $2)`

const snapshots = `
  delete from source_snapshot where (source, params_key) in (select source, params_key from source_snapshot where retain_until < $1 limit $2)`

const fetches = `
  delete from source_fetch where id in (select id from source_fetch where retain_until < $1 and closed_at is not null limit $2)`

// One that came back meanwhile is open again, whatever was said of it when it was closed.
const alerts = `
  delete from alert where id in (select id from alert where retain_until < $1 and closed_at is not null order by id limit $2 for update)`

// No rule looks further back than a day.
const signals = `
  delete from alert_signal where (kind, subject, reporter, minute) in (
    select kind, subject, reporter, minute from alert_signal where minute < $1::timestamptz - interval '2 days' limit $2)`
