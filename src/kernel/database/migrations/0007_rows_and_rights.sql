-- Who may see and do what. Everything not granted here is refused by PostgreSQL.

revoke all on schema castellan from public;
grant usage on schema castellan to castellan_server, castellan_releaser, castellan_gate_local, castellan_gate_cloud, castellan_worker_open, castellan_worker_private;
revoke execute on all functions in schema castellan from public;

-- Rows by label, for the open worker and the cloud gate; the others see what their grants let them see.
-- Not file_label: who has the bytes must be told their label, most of all when they are above its clearance.
do $$
declare t text;
begin
  foreach t in array array['audit_event', 'occurrence', 'run', 'step', 'run_log', 'content', 'mail_message', 'proposal', 'model_call', 'job'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy cleared on %I for select to castellan_worker_open using (label_level <= cloud_clearance(label_lanes))', t);
    execute format('create policy everything on %I for select to castellan_worker_private, castellan_server, castellan_releaser using (true)', t);
  end loop;
end $$;
alter table draft enable row level security;
create policy everything on draft for all to castellan_releaser using (true) with check (true);
create policy seen on draft for select to castellan_server using (true);
create policy stamped on proposal for update to castellan_releaser using (true) with check (true);
create policy local_calls on model_call for all to castellan_gate_local using (gate = 'local') with check (gate = 'local');
create policy cloud_calls on model_call for select to castellan_gate_cloud using (gate = 'cloud');
create policy cloud_calls_open on model_call for insert to castellan_gate_cloud
  with check (gate = 'cloud' and (state = 'refused' or label_level <= cloud_clearance(label_lanes)));
-- what was opened can be closed, also when the lane has lost its clearance in between
create policy cloud_calls_close on model_call for update to castellan_gate_cloud using (gate = 'cloud') with check (gate = 'cloud');

-- lanes and their clearances are no secret inside the house
grant select on lane to castellan_server, castellan_releaser, castellan_gate_local, castellan_gate_cloud, castellan_worker_open, castellan_worker_private;
grant execute on function cloud_clearance, lanes_join, integrity_join, may_execute, queue_of
  to castellan_server, castellan_releaser, castellan_gate_local, castellan_gate_cloud, castellan_worker_open, castellan_worker_private;
grant execute on function audit_append to castellan_server, castellan_releaser, castellan_gate_local, castellan_gate_cloud;

-- workers
grant select on step, occurrence, job, run_log, content, mail_message, file_label, proposal, model_call
  to castellan_worker_open, castellan_worker_private;
-- without the fence: who could read one could act in a run that another worker holds
grant select (id, occurrence_id, job, digest, lane, state, behind_another, input, executor, not_before, error, made_without_model,
  opened_at, claimed_at, closed_at, swept_at, label_level, label_integrity, label_lanes, retain_until) on run
  to castellan_worker_open, castellan_worker_private;
grant execute on function run_claim, runs_touch, run_advance, run_release, runs_recover, proposal_open, proposal_states, session_open, mail_parsed, file_written
  to castellan_worker_open, castellan_worker_private;

-- server
grant select on house, job_definition, job, occurrence, run, step, run_log, proposal, decision, delivery, model_call, mail_message,
  audit_event, audit_seal, process, supervisor, mailbox to castellan_server;
-- the server lists drafts; what is signed is shown by the releaser alone
grant select (id, proposal_id, replaces, kind, connector, account, risk, state, reason, frozen_at, expires_at, hold_until, snoozed_until, closed_at,
  label_level, label_integrity, label_lanes) on draft to castellan_server;
-- its own: who may ask it through a browser
grant select, insert, delete on web_session, signin_code to castellan_server;
grant update (seen_at, expires_at) on web_session to castellan_server;
grant execute on function run_open, occurrences_close, runs_overdue, run_cancel, run_redrive, job_pause to castellan_server;

-- gates
grant execute on function session_find to castellan_gate_local, castellan_gate_cloud;
grant select, insert on model_call to castellan_gate_local, castellan_gate_cloud;
grant update (state, reason, input_tokens, output_tokens, cost_eur, closed_at) on model_call to castellan_gate_local, castellan_gate_cloud;

-- releaser
grant select on run, proposal, decision, delivery, draft, content, mail_message, mailbox, mail_piece, audit_event, audit_seal, releaser_state to castellan_releaser;
grant update (state, refusal) on proposal to castellan_releaser;
grant insert on draft, decision, delivery, audit_seal to castellan_releaser;
grant update (state, reason, hold_until, snoozed_until, closed_at) on draft to castellan_releaser;
grant update (state, tries, may_have_left, receipt, closed_at, sent_copy, sent_copy_tries, sent_copy_at, sent_copy_reason, discarded_at) on delivery to castellan_releaser;
grant update (spent_nonces) on releaser_state to castellan_releaser;
grant insert, update on mailbox to castellan_releaser;
grant insert, delete on mail_piece to castellan_releaser;
grant execute on function run_wake, mail_store, mail_mirror, mail_mirror_pieces, outbox_compared to castellan_releaser;
grant execute on function acts_wait to castellan_releaser, castellan_server;

-- everyone may read which schema this is
grant select on schema_meta to public;
