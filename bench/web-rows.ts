import type { Database } from '../src/kernel/database/connect.ts'
import { declareJobs, jobDefinition, stepDefinition } from '../test/support/jobs.ts'

const jobCount = 20
export const runCount = 10_000

/** A house that has worked for a while: runs of many jobs with steps, lines, events, and a draft each that was released. */
export async function fillHouse(owner: Database): Promise<void> {
  const steps = [stepDefinition('mail'), stepDefinition('brief')]
  const jobs = Array.from({ length: jobCount }, (_, at) =>
    jobDefinition({ name: `job-${String(at).padStart(2, '0')}`, steps, schedules: [{ cron: '10 7 * * 1-5', timezone: 'Europe/Berlin' }, { cron: '0 */3 * * *', timezone: 'UTC' }] }))
  await declareJobs(owner, jobs)
  const { pool } = owner
  // ids as UUIDv7 have it: the time first, so that they sort by it
  await pool.query(`create function bench_id(p_at timestamptz, p_kind int, p_n int) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from p_at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(p_kind), 3, '0') || '8000' || lpad(to_hex(p_n), 12, '0'))::uuid $$`)
  await pool.query(`create temporary table made as select n, 'job-' || lpad((n % ${jobCount})::text, 2, '0') as job, now() - (${runCount} - n) * interval '2 minutes' as at from generate_series(1, ${runCount}) n`)
  await pool.query(`insert into occurrence (id, job, slot, origin, state, reason, closed_at, label_level, label_integrity)
    select bench_id(at, 1, n), job, at, 'schedule', case when n % 10 = 0 then 'missed' else 'ran' end, case when n % 10 = 0 then 'Castellan was not running' end, at + interval '3 s', 1, 'trusted' from made`)
  await pool.query(`insert into run (id, occurrence_id, job, digest, lane, state, opened_at, claimed_at, closed_at, error, label_level, label_integrity, label_lanes)
    select bench_id(at, 2, n), bench_id(at, 1, n), m.job, j.digest, 'private', case when n % 200 = 0 then 'dead' else 'succeeded' end, at, at, at + interval '3 s',
      case when n % 200 = 0 then jsonb '{"code":"mail.unreachable","message":"the mailbox did not answer"}' end, 2, 'untrusted', '{private}' from made m join job j on j.name = m.job`)
  await pool.query(`insert into step (run_id, id, position, tool, state, output, started_at, closed_at, label_level)
    select bench_id(at, 2, n), s.id, s.position, 'text.template', 'succeeded', jsonb_build_object('text', repeat('A sentence of a brief. ', 100)), at, at + interval '2 s', 2
    from made cross join (values ('mail', 0), ('brief', 1)) s(id, position)`)
  await pool.query(`insert into run_log (run_id, step, at, level, message, label_level) select bench_id(at, 2, n), 'mail', at, 'info', 'read 12 letters', 2 from made, generate_series(1, 3)`)
  await pool.query(`insert into audit_event (kind, subject, detail, label_level) select k, bench_id(at, 2, n)::text, '{}', 1 from made, unnest(array['run.opened', 'step.closed', 'step.closed', 'run.closed']) k`)
  await pool.query(`insert into proposal (id, run_id, step_id, item_key, kind, connector, payload, state) select bench_id(at, 3, n), bench_id(at, 2, n), 'brief', 'one', 'mail', 'file', '{}', 'frozen' from made`)
  await pool.query(`insert into draft (id, proposal_id, kind, connector, account, document, wire, nonce, risk, summary, state, frozen_at, expires_at, label_level)
    select bench_id(at, 4, n), bench_id(at, 3, n), 'mail', 'file', 'outbox', repeat('x', 2000), convert_to(repeat('y', 2000), 'UTF8'), n::text, 4, '{}', 'released', at, now() + interval '1 day', 2 from made`)
  await pool.query('analyze')
}
