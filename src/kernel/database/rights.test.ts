import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { sampleRows } from '../../../test/support/sample-rows.ts'
import { roles, type Role } from './roles.ts'

const db = await testDatabase()
const rows = await sampleRows(db)
const nobody = '00000000-0000-0000-0000-000000000000'

/** What every role tries and none may. */
const everybody: readonly string[] = [
  `insert into audit_event (kind, subject) values ('draft.decided', 'forged')`,
  `update audit_event set subject = 'altered'`,
  `delete from audit_event`,
  `truncate audit_event`,
  `update audit_seal set head = 'x'`,
  `delete from audit_seal`,
  `truncate audit_seal`,
  `insert into audit_kind values (session_user, 'draft.decided')`,
  `select audit_write('draft.decided', 'forged', '{}')`,
  `select audit_append('draft.decided.twice', 'forged', '{}')`,
  `alter table audit_event disable trigger all`,
  `drop table audit_event`,
  `update lane set cloud_clearance = 1`,
  `insert into lane values ('mine', 'open', 1)`,
  `insert into clearance (id, lane, upstream, url, level) values (gen_random_uuid(), 'open', 'cloud', 'https://cloud.example', 2)`,
  `update clearance set revoked_at = null`,
  `delete from clearance`,
  `select session_of_key('\\x00')`,
  `insert into standing_order select * from standing_order`,
  `update standing_order set revoked_at = null`,
  `update standing_order set per_day = 1000`,
  `delete from standing_order`,
  `insert into order_use select * from order_use`,
  `update order_use set n = 1`,
  `delete from order_use`,
  `truncate order_use cascade`,
  `insert into job_definition (digest, job, definition) values ('d', 'open-job', '{}')`,
  `update job set digest = 'd'`,
  `insert into house (digest, settings) values ('d', '{}')`,
  `update schema_meta set min_app = 0`,
  `insert into session (id, key_hash, run_id, fence) values (gen_random_uuid(), '\\x00', '${rows.open.run}', '${rows.open.fence}')`,
  `update session set expires_at = 'infinity'`,
  `select * from session`,
  `update web_session set key_hash = sha256('mine')`,
  `update run set label_level = 0`,
  `insert into step (run_id, id, position, tool, state) values ('${rows.open.run}', 'x', 9, 't', 'succeeded')`,
  `delete from run`,
  `delete from model_call`,
  `update content set body = 'x'`,
  `insert into process (name, state, isolation) values ('mine', 'ready', '')`,
  `insert into alert (kind, subject, level, state, counts, first_seen, last_seen, opened_at) values ('audit.broken', 'x', 'info', 'open', '{}', now(), now(), now())`,
  `update alert set state = 'closed', closed_at = now()`,
  `update alert set level = 'info'`,
  `update alert set started = '{"alert-watch": "1 critical"}'`,
  `delete from alert`,
  `truncate alert`,
  `delete from alert_signal`,
  `insert into alert_signal (kind, subject, reporter, minute, count) values ('audit.broken', 'x', session_user, now(), 1)`,
  `update alert_rule set more_than = 1000000`,
  `update alert_rule set roles = array[session_user]`,
  `delete from alert_rule`,
  `select alert_report('process.down', 'server', 1, now())`,
  `select alert_over('process.down', 'server')`,
  `select alert_said('alert.closed', a) from alert a`,
  `alter table run disable row level security`,
  `alter table run force row level security`,
  `create policy mine on run using (true)`,
  `create table castellan.mine (n int)`,
  `create table public.mine (n int)`,
  `create temporary table mine (n int)`,
  `create function castellan.mine() returns int language sql as 'select 1'`,
  `create or replace function castellan.cloud_clearance(p_lanes text[]) returns smallint language sql as 'select 2::smallint'`,
  `create schema mine`,
  `drop function cloud_clearance`,
  `set role castellan_owner`,
  `set session authorization castellan_owner`,
  `alter role current_user superuser`,
  `alter role castellan_owner password 'mine'`,
  `grant castellan_releaser to current_user`,
  `create role mine`,
  `set row_security = off; select id from run`,
  `copy (select 1) to program 'id'`,
  `select pg_read_file('/etc/passwd')`,
  `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'castellan_owner'`,
  `alter system set listen_addresses = '*'`,
  `create extension dblink`,
]

/** What only others may. */
const forbidden: Record<Role, readonly string[]> = {
  castellan_worker_open: [
    `select source_take(gen_random_uuid())`,
    `select source_store(gen_random_uuid(), 200, '', '')`,
    `insert into source_snapshot (source, params_key, params, fetch_id, fetched_at, media, body) values ('leads', sha256('{}'), '{}', gen_random_uuid(), now(), '', '')`,
    `insert into source_fetch (id, source, run_id, job) values (gen_random_uuid(), 'leads', '${rows.open.run}', 'open-job')`,
    `update source_snapshot set label_level = 0`,
    `select * from alert`,
    `select started from alert`,
    `select alerts_due('me')`,
    `select alerts_silent('me')`,
    `select alerts_open('open-job', '${nobody}', '${nobody}', 'me')`,
    `select alert_report('audit.broken', 'x', 1, now())`,
    `select alert_acknowledge(gen_random_uuid())`,
    `select alerts_settle('infinity')`,
    `select alert_over('audit.broken', 'x')`,
    `select clearance_grant('${rows.draft}')`,
    `select order_grant('${rows.draft}', now())`,
    `select outbox_resume('${rows.draft}')`,
    `select outbox_compared()`,
    `select acts_take_back_again(array['${rows.draft}'::uuid], now())`,
    `update releaser_state set fence_id = null, fenced_at = null, fence_reason = null`,
    `select order_revoke('newsletters', now())`,
    `select order_take('${nobody}', '${rows.draft}', now(), null, null)`,
    `select clearance_revoke('open', 'cloud')`,
    `select operator_propose(gen_random_uuid(), 'lane.clear', 'castellan.acts', '{}')`,
    `select inbound_store(gen_random_uuid(), 'hub', 'e', 'push', array[sha256('e')], null, '{}', now())`,
    `select inbound_refuse('hub', 'forged', 1, now())`,
    `select inbound_open('${nobody}', 'open-job', '${nobody}', '${nobody}')`,
    `select * from inbound_run`,
    `select * from web_session`,
    `insert into signin_code values (sha256('mine'), 'infinity')`,
    `insert into run (id, occurrence_id, job, digest, lane, state) select gen_random_uuid(), occurrence_id, job, digest, lane, 'queued' from run`,
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload) values (gen_random_uuid(), '${rows.open.run}', 'only', 'i', 'mail', 'file', '{}')`,
    `update proposal set state = 'frozen'`,
    `insert into draft select * from draft`,
    `select * from draft`,
    `insert into decision (id, draft_id, verdict, decided_at) values (gen_random_uuid(), '${rows.draft}', 'deny', now())`,
    `select * from decision`,
    `select * from delivery`,
    `select * from house`,
    `select * from job_definition`,
    `select * from audit_event`,
    `select * from audit_seal`,
    `insert into run_log (run_id, at, level, message) values ('${rows.open.run}', now(), 'info', 'x')`,
    `insert into model_call (id, session_id, run_id, gate, task) values (gen_random_uuid(), '${rows.open.session}', '${rows.open.run}', 'cloud', 't')`,
    `update mail_message set label_level = 0`,
    `insert into file_label (hash) values ('\\x00')`,
    `update file_label set label_level = 0`,
    `select run_open(gen_random_uuid(), gen_random_uuid(), 'open-job', now(), 'manual', null, '{}')`,
    `select run_close(r, 'succeeded', null) from run r`,
    `select step_begin('${rows.open.run}', '{}', 'open', 0)`,
    `select run_hold('${rows.open.run}', 'x', 'runs_private', '${rows.open.run}')`,
    `select take_one('runs_private', '${rows.open.run}', '${rows.open.run}', 'x')`,
    `select runs_open('{}', '{}', '{}', '{}', '{}', '{}', '{}')`,
    `select fence from run`,
    `select run_cancel('${rows.secret.run}')`,
    `select run_redrive('${rows.secret.run}')`,
    `select run_wake('${rows.proposal}')`,
    `select occurrences_close('open-job', '{}', '{}', 'missed', 'x')`,
    `select job_pause('open-job', true)`,
    `select session_find('\\x00')`,
    `select mail_store(gen_random_uuid(), 'a', 'b', 'c', 'raw', now(), 0::smallint, 'trusted', '{}')`,
    `select audit_append('operator.request', 'x', '{}')`,
  ],
  castellan_worker_private: [
    `select source_take(gen_random_uuid())`,
    `select source_store(gen_random_uuid(), 200, '', '')`,
    `insert into source_snapshot (source, params_key, params, fetch_id, fetched_at, media, body) values ('leads', sha256('{}'), '{}', gen_random_uuid(), now(), '', '')`,
    `insert into source_fetch (id, source, run_id, job) values (gen_random_uuid(), 'leads', '${rows.open.run}', 'open-job')`,
    `update source_snapshot set label_level = 0`,
    `select * from alert`,
    `select started from alert`,
    `select alerts_due('me')`,
    `select alerts_silent('me')`,
    `select alerts_open('open-job', '${nobody}', '${nobody}', 'me')`,
    `select alert_report('nonce.replayed', 'x', 1, now())`,
    `select alert_acknowledge(gen_random_uuid())`,
    `select alerts_settle('infinity')`,
    `select clearance_grant('${rows.draft}')`,
    `select order_grant('${rows.draft}', now())`,
    `select outbox_resume('${rows.draft}')`,
    `select outbox_compared()`,
    `select acts_take_back_again(array['${rows.draft}'::uuid], now())`,
    `update releaser_state set fence_id = null, fenced_at = null, fence_reason = null`,
    `select order_revoke('newsletters', now())`,
    `select order_take('${nobody}', '${rows.draft}', now(), null, null)`,
    `select clearance_revoke('open', 'cloud')`,
    `select operator_propose(gen_random_uuid(), 'lane.clear', 'castellan.acts', '{}')`,
    `select inbound_store(gen_random_uuid(), 'hub', 'e', 'push', array[sha256('e')], null, '{}', now())`,
    `select inbound_open('${nobody}', 'open-job', '${nobody}', '${nobody}')`,
    `update inbound_event set label_level = 0`,
    `insert into inbound_event (id, source, event_id, type, received_at, body) values (gen_random_uuid(), 'hub', 'e', 'push', now(), '')`,
    `delete from inbound_event`,
    `select * from inbound_seen`,
    `select * from web_session`,
    `insert into signin_code values (sha256('mine'), 'infinity')`,
    `select * from draft`,
    `select * from decision`,
    `select * from audit_event`,
    `select fence from run`,
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload) values (gen_random_uuid(), '${rows.open.run}', 'only', 'i', 'mail', 'file', '{}')`,
    `insert into draft select * from draft`,
    `insert into decision (id, draft_id, verdict, decided_at) values (gen_random_uuid(), '${rows.draft}', 'deny', now())`,
    `update mail_message set label_level = 0`,
    `select run_open(gen_random_uuid(), gen_random_uuid(), 'open-job', now(), 'manual', null, '{}')`,
    `select run_wake('${rows.proposal}')`,
    `select mail_store(gen_random_uuid(), 'a', 'b', 'c', 'raw', now(), 0::smallint, 'trusted', '{}')`,
    `select session_find('\\x00')`,
  ],
  castellan_server: [
    `select source_ask(gen_random_uuid(), '${rows.open.run}', '${rows.open.fence}', 'leads', '{}')`,
    `select source_take(gen_random_uuid())`,
    `select body from source_snapshot`,
    `select params from source_fetch`,
    `select * from alert_signal`,
    `select alert_report('audit.broken', 'x', 1, now())`,
    `select alert_over('audit.broken', 'x')`,
    `select clearance_grant('${rows.draft}')`,
    `select order_grant('${rows.draft}', now())`,
    `select outbox_resume('${rows.draft}')`,
    `select outbox_compared()`,
    `select acts_take_back_again(array['${rows.draft}'::uuid], now())`,
    `update releaser_state set fence_id = null, fenced_at = null, fence_reason = null`,
    `select order_revoke('newsletters', now())`,
    `select order_take('${nobody}', '${rows.draft}', now(), null, null)`,
    `select clearance_revoke('open', 'cloud')`,
    `select operator_propose(gen_random_uuid(), 'lane.clear', 'castellan.acts', '{}')`,
    `select inbound_store(gen_random_uuid(), 'hub', 'e', 'push', array[sha256('e')], null, '{}', now())`,
    `select body from inbound_event`,
    `select event_id from inbound_event`,
    `select inbound_refuse('hub', 'forged', 1, now())`,
    `delete from inbound_seen`,
    `update inbound_run set outcome = null`,
    `select * from inbound_seen`,
    `update draft set state = 'signed'`,
    `select document from draft`,
    `select wire from draft`,
    `select nonce from draft`,
    `select * from draft`,
    `insert into draft (id) values (gen_random_uuid())`,
    `delete from draft`,
    `insert into decision (id, draft_id, verdict, decided_at) values (gen_random_uuid(), '${rows.draft}', 'deny', now())`,
    `update decision set verdict = 'approve'`,
    `insert into delivery (id, draft_id, nonce, started_at) values (gen_random_uuid(), '${rows.draft}', 'n', now())`,
    `update proposal set state = 'proposed'`,
    `insert into audit_seal select * from audit_seal`,
    `select audit_append('draft.decided', 'x', '{}')`,
    `select * from content`,
    `select * from releaser_state`,
    `select run_claim('${rows.open.run}', 'server', 1000)`,
    `select run_advance('${rows.open.run}', '${rows.open.fence}', '{}')`,
    `select run_release('${rows.open.run}', '${rows.open.fence}')`,
    `select session_open('${rows.open.run}', '${rows.open.fence}')`,
    `select proposal_open(gen_random_uuid(), '${rows.open.run}', '${rows.open.fence}', 'only', 'i', 'mail', 'file', '{}')`,
    `select run_wake('${rows.proposal}')`,
    `select mail_store(gen_random_uuid(), 'a', 'b', 'c', 'raw', now(), 0::smallint, 'trusted', '{}')`,
    `select file_written('${rows.open.run}', '${rows.open.fence}', '\\x00', 0::smallint, 'trusted', '{}')`,
  ],
  castellan_releaser: [
    `select source_ask(gen_random_uuid(), '${rows.open.run}', '${rows.open.fence}', 'leads', '{}')`,
    `select source_take(gen_random_uuid())`,
    `select body from source_snapshot`,
    `select params from source_fetch`,
    `select * from alert`,
    `select started from alert`,
    `select alerts_due('me')`,
    `select alerts_silent('me')`,
    `select alerts_open('open-job', '${nobody}', '${nobody}', 'me')`,
    `select alert_report('webhook.forged', 'x', 1, now())`,
    `select alert_acknowledge(gen_random_uuid())`,
    `select alerts_settle('infinity')`,
    `select clearance_grant('${rows.draft}')`,
    `select order_grant('${rows.draft}', now())`,
    `select outbox_resume('${rows.draft}')`,
    `update releaser_state set compared_for = pg_postmaster_start_time()`,
    `update releaser_state set fence_id = null, fenced_at = null, fence_reason = null`,
    `select inbound_store(gen_random_uuid(), 'hub', 'e', 'push', array[sha256('e')], null, '{}', now())`,
    `select * from inbound_event`,
    `select inbound_open('${nobody}', 'open-job', '${nobody}', '${nobody}')`,
    `select * from web_session`,
    `insert into signin_code values (sha256('mine'), 'infinity')`,
    `update draft set document = '{}'`,
    `update draft set wire = 'x'`,
    `update draft set risk = 1`,
    `update draft set expires_at = 'infinity'`,
    `update draft set label_level = 0`,
    `delete from draft`,
    `update decision set verdict = 'approve'`,
    `delete from decision`,
    `update delivery set nonce = 'n'`,
    `delete from delivery`,
    `update proposal set payload = '{}'`,
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload) values (gen_random_uuid(), '${rows.open.run}', 'only', 'i', 'mail', 'file', '{}')`,
    `insert into releaser_state default values`,
    `select run_open(gen_random_uuid(), gen_random_uuid(), 'open-job', now(), 'manual', null, '{}')`,
    `select run_advance('${rows.open.run}', '${rows.open.fence}', '{}')`,
    `select proposal_open(gen_random_uuid(), '${rows.open.run}', '${rows.open.fence}', 'only', 'i', 'mail', 'file', '{}')`,
    `select session_open('${rows.open.run}', '${rows.open.fence}')`,
    `select audit_append('operator.request', 'x', '{}')`,
  ],
  castellan_gate_local: [
    `select * from alert`,
    `select started from alert`,
    `select alerts_due('me')`,
    `select alerts_silent('me')`,
    `select alerts_open('open-job', '${nobody}', '${nobody}', 'me')`,
    `select alert_report('signature.failed', 'x', 1, now())`,
    `select alert_acknowledge(gen_random_uuid())`,
    `select alerts_settle('infinity')`,
    `select alert_over('audit.broken', 'x')`,
    `select clearance_grant('${rows.draft}')`,
    `select order_grant('${rows.draft}', now())`,
    `select outbox_resume('${rows.draft}')`,
    `select outbox_compared()`,
    `select acts_take_back_again(array['${rows.draft}'::uuid], now())`,
    `update releaser_state set fence_id = null, fenced_at = null, fence_reason = null`,
    `select order_revoke('newsletters', now())`,
    `select order_take('${nobody}', '${rows.draft}', now(), null, null)`,
    `select clearance_revoke('open', 'cloud')`,
    `select operator_propose(gen_random_uuid(), 'lane.clear', 'castellan.acts', '{}')`,
    `select inbound_store(gen_random_uuid(), 'hub', 'e', 'push', array[sha256('e')], null, '{}', now())`,
    `select * from inbound_event`,
    `select * from web_session`,
    `insert into signin_code values (sha256('mine'), 'infinity')`,
    `select * from run`,
    `select * from content`,
    `select * from proposal`,
    `select * from draft`,
    `select * from mail_message`,
    `select * from audit_event`,
    `insert into model_call (id, session_id, run_id, gate, task) values (gen_random_uuid(), '${rows.open.session}', '${rows.open.run}', 'cloud', 't')`,
    `update model_call set label_level = 0`,
    `update model_call set upstream = 'elsewhere'`,
    `update model_call set gate = 'cloud'`,
    `select run_claim('${rows.open.run}', 'gate', 1000)`,
    `select session_open('${rows.open.run}', '${rows.open.fence}')`,
    `select audit_append('draft.decided', 'x', '{}')`,
  ],
  castellan_gate_cloud: [
    `select * from alert`,
    `select started from alert`,
    `select alerts_due('me')`,
    `select alerts_silent('me')`,
    `select alerts_open('open-job', '${nobody}', '${nobody}', 'me')`,
    `select alert_report('command.refused', 'x', 1, now())`,
    `select alert_acknowledge(gen_random_uuid())`,
    `select alerts_settle('infinity')`,
    `select clearance_grant('${rows.draft}')`,
    `select order_grant('${rows.draft}', now())`,
    `select outbox_resume('${rows.draft}')`,
    `select outbox_compared()`,
    `select acts_take_back_again(array['${rows.draft}'::uuid], now())`,
    `update releaser_state set fence_id = null, fenced_at = null, fence_reason = null`,
    `select order_revoke('newsletters', now())`,
    `select order_take('${nobody}', '${rows.draft}', now(), null, null)`,
    `select clearance_revoke('open', 'cloud')`,
    `select operator_propose(gen_random_uuid(), 'lane.clear', 'castellan.acts', '{}')`,
    `select inbound_store(gen_random_uuid(), 'hub', 'e', 'push', array[sha256('e')], null, '{}', now())`,
    `select * from inbound_event`,
    `select * from web_session`,
    `insert into signin_code values (sha256('mine'), 'infinity')`,
    `select * from run`,
    `select * from content`,
    `select * from proposal`,
    `select * from draft`,
    `select * from mail_message`,
    `insert into model_call (id, session_id, run_id, gate, task, label_level, label_lanes) values (gen_random_uuid(), '${rows.secret.session}', '${rows.secret.run}', 'cloud', 't', 2, '{private}')`,
    `insert into model_call (id, session_id, run_id, gate, task, label_level, label_lanes) values (gen_random_uuid(), '${rows.open.session}', '${rows.open.run}', 'cloud', 't', 2, '{open}')`,
    `insert into model_call (id, session_id, run_id, gate, task) values (gen_random_uuid(), '${rows.open.session}', '${rows.open.run}', 'cloud', 't')`,
    `insert into model_call (id, session_id, run_id, gate, task, label_level) values (gen_random_uuid(), '${rows.open.session}', '${rows.open.run}', 'local', 't', 0)`,
    `update model_call set label_level = 0`,
    `update model_call set gate = 'local'`,
    `select run_claim('${rows.open.run}', 'gate', 1000)`,
    `select session_open('${rows.open.run}', '${rows.open.fence}')`,
    `select audit_append('redaction', 'x', '{}')`,
  ],
  castellan_reader: [
    ...['house', 'lane', 'job', 'run', 'step', 'content', 'mail_message', 'proposal', 'draft', 'model_call', 'audit_event', 'inbound_event', 'source_fetch', 'source_snapshot', 'source_connection'].map((table) => `select * from ${table}`),
    `insert into source_fetch (id, source, run_id, job) values (gen_random_uuid(), 'leads', '${rows.open.run}', 'open-job')`,
    `insert into source_snapshot (source, params_key, params, fetch_id, fetched_at, media, body) values ('leads', sha256('{}'), '{}', gen_random_uuid(), now(), '', '')`,
    `update source_snapshot set label_level = 0`,
    `delete from source_fetch`,
    `select * from alert`,
    `select started from alert`,
    `select alerts_due('me')`,
    `select alerts_silent('me')`,
    `select alerts_open('open-job', '${nobody}', '${nobody}', 'me')`,
    `select alert_report('audit.broken', 'x', 1, now())`,
    `select alert_acknowledge(gen_random_uuid())`,
    `select source_ask(gen_random_uuid(), '${rows.open.run}', '${rows.open.fence}', 'leads', '{}')`,
    `select source_declared('leads')`,
    `select run_open(gen_random_uuid(), gen_random_uuid(), 'open-job', now(), 'manual', null, '{}')`,
    `select session_open('${rows.open.run}', '${rows.open.fence}')`,
    `select session_find('\\x00')`,
    `select proposal_open(gen_random_uuid(), '${rows.open.run}', '${rows.open.fence}', 'only', 'i', 'mail', 'file', '{}')`,
    `select mail_store(gen_random_uuid(), 'a', 'b', 'c', 'raw', now(), 0::smallint, 'trusted', '{}')`,
    `select inbound_store(gen_random_uuid(), 'hub', 'e', 'push', array[sha256('e')], null, '{}', now())`,
    `select audit_append('source.fetched', 'x', '{}')`,
  ],
  castellan_listener: [
    `select * from alert`,
    `select started from alert`,
    `select alerts_due('me')`,
    `select alerts_silent('me')`,
    `select alerts_open('open-job', '${nobody}', '${nobody}', 'me')`,
    `select alert_report('webhook.forged', 'x', 1, now())`,
    `select alert_acknowledge(gen_random_uuid())`,
    `select * from inbound_event`,
    `select id from inbound_event`,
    `select * from inbound_seen`,
    `select * from inbound_run`,
    `select * from inbound_tally`,
    `insert into inbound_event (id, source, event_id, type, received_at, body) values (gen_random_uuid(), 'hub', 'e', 'push', now(), '')`,
    `insert into inbound_seen (source, key, seen_at) values ('hub', sha256('e'), now())`,
    `delete from inbound_seen`,
    `insert into inbound_run (event_id, job) values (gen_random_uuid(), 'open-job')`,
    `update inbound_event set label_level = 0`,
    `select inbound_count('hub', 'stored', 1, now())`,
    `select * from inbound_due(1)`,
    `select inbound_open('${nobody}', 'open-job', '${nobody}', '${nobody}')`,
    `select run_open(gen_random_uuid(), gen_random_uuid(), 'open-job', now(), 'manual', null, '{}')`,
    `select * from house`,
    `select * from lane`,
    `select * from job`,
    `select * from run`,
    `select * from step`,
    `select * from content`,
    `select * from mail_message`,
    `select * from proposal`,
    `select * from draft`,
    `select * from model_call`,
    `select * from audit_event`,
    `select * from web_session`,
    `insert into signin_code values (sha256('mine'), 'infinity')`,
    `select audit_append('webhook.stored', 'x', '{}')`,
    `select session_find('\\x00')`,
  ],
}

/** insufficient_privilege, which row-level security answers with as well; a role that does not own a table may not name its triggers. */
const refusal = '42501'

for (const role of roles) {
  describe(role, () => {
    test(`is refused ${everybody.length + forbidden[role].length} acts by PostgreSQL itself`, async () => {
      const { pool } = db.as(role)
      const allowed: string[] = []
      for (const act of [...everybody, ...forbidden[role]]) {
        const code = await pool.query(act).then(
          () => 'allowed',
          (error: { code?: string; message: string }) => (error.code === refusal ? refusal : `${error.code} ${error.message}`),
        )
        if (code !== refusal) allowed.push(`${act}: ${code}`)
      }
      assert.deepEqual(allowed, [])
    })
  })
}

/** The same acts, by the role that may: a refusal that comes from a typing mistake would prove nothing. */
test('each forbidden statement is one that PostgreSQL understands', async () => {
  // the owner may end the connections of everybody, those of other test files too
  for (const act of [...everybody, ...roles.flatMap((role) => forbidden[role])].filter((act) => !act.includes('pg_terminate_backend'))) {
    const client = await db.owner.pool.connect()
    try {
      await client.query('begin')
      const code = await client.query(act).then(
        () => undefined,
        (error: { code: string }) => error.code,
      )
      assert.ok(!['42601', '42703', '42P01', '42883'].includes(code ?? ''), `${act}: ${code}`)
    } finally {
      client.release(true)
    }
  }
})

describe('rows by label', () => {
  const seen = async (role: Role, table: string) => (await db.as(role).pool.query<{ n: number }>(`select count(*) as n from ${table}`)).rows[0]!.n

  test('the open worker sees what a cloud model may see, the private worker everything', async () => {
    for (const [table, open, all] of [['run', 1, 2], ['step', 0, 2], ['occurrence', 1, 2], ['job', 1, 2], ['content', 0, 1], ['mail_message', 0, 1], ['proposal', 0, 1], ['model_call', 1, 2]] as const) {
      assert.deepEqual([table, await seen('castellan_worker_open', table), await seen('castellan_worker_private', table)], [table, open, all])
    }
  })

  test('each gate sees and closes its own calls', async () => {
    for (const gate of ['local', 'cloud'] as const) {
      const { pool } = db.as(`castellan_gate_${gate}`)
      assert.deepEqual((await pool.query('select distinct gate from model_call')).rows, [{ gate }])
      const { rowCount } = await pool.query(`update model_call set state = 'succeeded' where state = 'open'`)
      assert.equal(rowCount, 1)
      await assert.rejects(pool.query(`update model_call set state = 'failed'`), { code: 'CA003' })
    }
  })

  test('the open worker cannot take a run that is not for it, nor act in one that it does not hold', async () => {
    const { pool } = db.as('castellan_worker_open')
    await db.owner.pool.query(`update run set state = 'queued', fence = null where id = $1`, [rows.secret.run])
    const { rows: claim } = await pool.query(`select run_claim($1, 'x', 1000) as claim`, [rows.secret.run])
    assert.deepEqual(claim[0].claim, { outcome: 'not_cleared', queue: 'runs_private' })
    await assert.rejects(pool.query('select session_open($1, $2)', [rows.secret.run, nobody]), { code: 'CA409' })
    await assert.rejects(pool.query(`select proposal_open(gen_random_uuid(), $1, $2, 'only', 'i', 'mail', 'file', '{}')`, [rows.open.run, nobody]), { code: 'CA409' })
    await assert.rejects(pool.query(`select file_written($1, $2, '\\x00', 0::smallint, 'trusted', '{}')`, [rows.open.run, nobody]), { code: 'CA409' })
    await pool.query(`select mail_parsed($1, 'id', '{}', 'read by the wrong one', null, 0::smallint)`, [rows.message])
    assert.deepEqual((await db.owner.pool.query('select parsed_at from mail_message')).rows, [{ parsed_at: null }])
    assert.deepEqual((await pool.query('select * from proposal_states($1)', [[rows.proposal]])).rows, [])
  })

  test('the private worker takes no run in which a cloud model may be asked: what it has read it could say there', async () => {
    const { pool } = db.as('castellan_worker_private')
    await db.owner.pool.query(`update run set state = 'queued', fence = null where id = $1`, [rows.open.run])
    const { rows: claim } = await pool.query(`select run_claim($1, 'x', 1000) as claim`, [rows.open.run])
    assert.deepEqual(claim[0].claim, { outcome: 'not_cleared', queue: 'runs_open' })
    assert.deepEqual((await pool.query(`select runs_take('runs_open', 10, 'x', 1000) as taken`)).rows, [{ taken: [] }])
    assert.deepEqual((await db.owner.pool.query('select state, fence from run where id = $1', [rows.open.run])).rows, [{ state: 'queued', fence: null }])
  })
})

describe('events of webhooks', () => {
  const declared = { settings: { webhooks: [
    { name: 'hub', events: ['push', 'issue*'], label: { level: 2, integrity: 'untrusted', lanes: ['private'] } },
    { name: 'open', events: [], label: { level: 1, integrity: 'untrusted', lanes: ['open'] } },
  ] } }
  const store = async (source: string, event: string, type = 'push', keys = [event]) => (await db.as('castellan_listener').pool.query<{ what: string }>(
    'select inbound_store(gen_random_uuid(), $1, $2, $3, array(select sha256(convert_to(k, $4)) from unnest($5::text[]) as u(k)), null, $6, now()) as what',
    [source, event, type, 'UTF8', keys, Buffer.from('{"secret":1}')],
  )).rows[0]!.what

  test('are labelled by the house and not by who stores them; a worker sees those that its label lets it see, the server that they came', async () => {
    await db.owner.pool.query(`insert into house (digest, settings, current) values ('webhooks', $1, true)`, [JSON.stringify(declared)])
    assert.deepEqual([await store('hub', '1'), await store('open', '2'), await store('hub', '3', 'star'), await store('hub', '4', 'issues')], ['stored', 'stored', 'unwanted', 'stored'])
    await assert.rejects(store('elsewhere', '5'), { code: 'CA404' })
    await assert.rejects(store('hub', '5', 'push', []), { code: 'CA400' })
    const { rows } = await db.owner.pool.query('select source, label_level, label_integrity, label_lanes from inbound_event order by event_id')
    assert.deepEqual(rows.map((row) => Object.values(row)), [['hub', 2, 'untrusted', ['private']], ['open', 1, 'untrusted', ['open']], ['hub', 2, 'untrusted', ['private']]])
    const sources = async (role: Role) => (await db.as(role).pool.query<{ source: string }>('select source from inbound_event order by source')).rows.map(({ source }) => source)
    assert.deepEqual(await sources('castellan_worker_open'), ['open'])
    assert.deepEqual(await sources('castellan_worker_private'), ['hub', 'hub', 'open'])
    assert.deepEqual(await sources('castellan_server'), ['hub', 'hub', 'open'])
    assert.deepEqual((await db.as('castellan_worker_open').pool.query('select body from inbound_event')).rows, [{ body: Buffer.from('{"secret":1}') }])
  })

  test('are stored once for each of the things that they are known by', async () => {
    assert.deepEqual([await store('hub', '1'), await store('hub', 'new', 'push', ['new', '1']), await store('open', '1')], ['replayed', 'replayed', 'stored'])
    const { rows } = await db.owner.pool.query(`select outcome, count from inbound_tally where source = 'hub' order by outcome`)
    assert.deepEqual(rows, [{ outcome: 'replayed', count: 2 }, { outcome: 'stored', count: 2 }, { outcome: 'unwanted', count: 1 }])
  })

  test('that are refused are counted and in the audit by reason, those for a name that is not declared without that name', async () => {
    const { pool } = db.as('castellan_listener')
    for (const source of ['hub', '<script>']) await pool.query(`select inbound_refuse($1, 'forged', 3, now())`, [source])
    await assert.rejects(pool.query(`select inbound_refuse('hub', 'a word of a stranger', 1, now())`), { code: 'CA400' })
    const { rows } = await db.owner.pool.query(`select actor, subject, detail from audit_event where kind = 'webhook.refused' order by subject`)
    assert.deepEqual(rows, ['?', 'hub'].map((subject) => ({ actor: 'castellan_listener', subject, detail: { reason: 'forged', count: 3 } })))
  })
})

describe('the schema as a whole', () => {
  const found = async (text: string) => (await db.owner.pool.query<{ name: string }>(text)).rows.map((row) => row.name)

  test('no function may be executed by everybody', async () => {
    assert.deepEqual(await found(`select p.proname as name from pg_proc p where p.pronamespace = 'castellan'::regnamespace
      and has_function_privilege('public', p.oid, 'execute')`), [])
  })

  test('each function that acts for the owner fixes where it looks for names', async () => {
    assert.deepEqual(await found(`select p.proname as name from pg_proc p where p.pronamespace = 'castellan'::regnamespace and p.prosecdef
      and not coalesce('search_path=castellan, pg_temp' = any (p.proconfig), false)`), [])
  })

  test('a row without a label is P3 and untrusted', async () => {
    const loose = await found(`select table_name || '.' || column_name || ' ' || coalesce(column_default, 'none') as name from information_schema.columns
      where table_schema = 'castellan' and column_name in ('label_level', 'label_integrity')
        and (is_nullable = 'YES' or coalesce(column_default, '') not in ('3', '''untrusted''::text')) order by 1`)
    assert.deepEqual(loose, [])
  })

  test('what the open worker can read is secured row by row, except what says nothing but labels and lanes', async () => {
    assert.deepEqual(await found(`select c.relname as name from pg_class c where c.relnamespace = 'castellan'::regnamespace and c.relkind = 'r'
      and has_any_column_privilege('castellan_worker_open', c.oid, 'select') and not c.relrowsecurity order by 1`), ['file_label', 'lane', 'schema_meta'])
  })
})
