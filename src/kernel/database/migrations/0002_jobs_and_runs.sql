-- Jobs, occurrences, runs and steps. Workers change them only through the functions at the end.
-- These put runs into the queue and take them out by queue_push, queue_pull, queue_done and queue_touch, which are made of
-- pg-boss's own statements at every start (queue-schema.ts), and look into it by queue_holds and queue_lacks: a run and its queue
-- job change in one transaction, or not at all.

create table house (
  digest    text primary key,
  loaded_at timestamptz not null default clock_timestamp(),
  current   boolean not null default false,
  settings  jsonb not null,
  problems  jsonb not null default '[]'
);

create table job_definition (
  digest     text primary key,
  job        text not null,
  definition jsonb not null,
  loaded_at  timestamptz not null default clock_timestamp()
);

create table job (
  name         text primary key,
  digest       text not null references job_definition,
  lane         text not null references lane,
  overlap      text not null check (overlap in ('skip', 'queue', 'replace', 'allow')),
  missed       text not null check (missed in ('skip', 'latest', 'all')),
  tries        integer not null check (tries between 1 and 10),
  declared     boolean not null default true,
  paused       boolean not null default false,
  -- slots before this moment were never due: the job was not declared yet
  declared_at  timestamptz not null,
  label_level     smallint not null default 3 check (label_level between 0 and 3),
  label_integrity text not null default 'untrusted' check (label_integrity in ('trusted', 'untrusted')),
  label_lanes     text[] not null default '{}'
);

-- What must hold for a row of the tables that every run writes several times stands in one function a table: PostgreSQL reads
-- and plans each check anew for each statement, and nine of them cost a fifth of a run (measured).
create function occurrence_is_sound(p_origin text, p_state text, p_reason text, p_closed timestamptz) returns boolean
language plpgsql immutable parallel safe as $$
begin
  return p_origin in ('schedule', 'manual', 'redrive', 'webhook', 'alert') and p_state in ('due', 'ran', 'skipped', 'missed', 'failed')
    and (p_state = 'due') = (p_closed is null) and (p_state in ('due', 'ran') or p_reason is not null);
end $$;

create table occurrence (
  id         uuid primary key,
  job        text not null,
  slot       timestamptz not null,
  origin     text not null,
  state      text not null default 'due',
  reason     text,
  idempotency_key text,
  recorded_at timestamptz not null default clock_timestamp(),
  closed_at  timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  unique (job, slot),
  check (occurrence_is_sound(origin, state, reason, closed_at))
) with (fillfactor = 80);
create unique index occurrence_key on occurrence (job, idempotency_key) where idempotency_key is not null;
-- what was closed today; of blocks and not of rows, so that closing one costs no entry
create index occurrence_closed on occurrence using brin (closed_at) with (pages_per_range = 8, autosummarize = on);

-- A fence while it runs, and only then; an end when it is closed, and only then.
create function run_is_sound(p_state text, p_behind_another boolean, p_fence uuid, p_closed timestamptz, p_swept timestamptz, p_level smallint) returns boolean
language plpgsql immutable parallel safe as $$
begin
  return p_state in ('waiting', 'queued', 'running', 'parked', 'succeeded', 'cancelled', 'dead')
    and (p_state = 'running') = (p_fence is not null) and (p_state = 'waiting') = p_behind_another
    and (p_state in ('succeeded', 'cancelled', 'dead')) = (p_closed is not null) and (p_swept is null or p_closed is not null)
    and p_level between 0 and 3;
end $$;

create table run (
  id            uuid primary key,
  occurrence_id uuid not null unique references occurrence,
  job           text not null,
  -- both are copied from the job, which refers to them
  digest        text not null,
  lane          text not null,
  state         text not null,
  -- waits for a run of the same job to end
  behind_another boolean not null default false,
  -- a decision came while the run was executing: should it park now, it goes on at once
  woken         boolean not null default false,
  input         jsonb not null default '{}',
  fence         uuid,
  executor      text,
  -- the queue job that this executor holds it by
  queue         text,
  queue_job     uuid,
  not_before    timestamptz,
  error         jsonb,
  made_without_model boolean not null default false,
  opened_at     timestamptz not null default clock_timestamp(),
  claimed_at    timestamptz,
  closed_at     timestamptz,
  -- its input, its outputs and its log are gone; it is still here because a proposal or a call names it
  swept_at      timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  check (run_is_sound(state, behind_another, fence, closed_at, swept_at, label_level))
) with (fillfactor = 50);
-- by closed_at and not by state: a run changes its state often, and only its end should touch an index (ids sort by time)
create index run_active on run (job) where closed_at is null;
create index run_waiting on run (job) where behind_another;
create index run_job on run (job, id desc);
-- those that gave up, and few others: both columns change with a run's end and at no other time
create index run_ended_badly on run (id desc) where closed_at is not null and error is not null;
-- what the retention sweep has to look at: those without a time yet, and those whose time is over
create index run_retained on run (retain_until) where closed_at is not null;
create trigger run_label before update of label_level, label_integrity, label_lanes on run for each row execute function label_only_rises();

create table step (
  run_id     uuid not null references run on delete cascade,
  id         text not null,
  position   integer not null,
  tool       text not null,
  state      text not null check (state in ('started', 'retrying', 'waiting', 'succeeded', 'skipped', 'failed')),
  attempt    integer not null default 1,
  failures   integer not null default 0,
  -- how often an executor was gone before the step was done
  crashes    integer not null default 0,
  output     jsonb,
  output_hash bytea,
  made_without_model boolean not null default false,
  error      jsonb,
  started_at timestamptz not null default clock_timestamp(),
  closed_at  timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  primary key (run_id, id),
  unique (run_id, position)
) with (fillfactor = 70);

create table run_log (
  id      bigint generated always as identity primary key,
  run_id  uuid not null references run on delete cascade,
  step    text,
  at      timestamptz not null,
  level   text not null,
  message text not null,
  fields  jsonb not null default '{}',
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);
create index run_log_run on run_log (run_id, id);
create index run_log_retained on run_log (retain_until) where retain_until is not null;

-- May this session execute a run with this lane and label? The open worker may not, once a cloud model may not see it.
create function may_execute(p_lane text, p_level smallint, p_lanes text[]) returns boolean
language plpgsql stable as $$
begin
  return session_user <> 'castellan_worker_open'
    or ((select worker = 'open' from castellan.lane where name = p_lane) and p_level <= castellan.cloud_clearance(p_lanes));
end $$;

-- The queue that a run belongs on: open while a cloud model may see it, private from then on.
create function queue_of(p_lane text, p_level smallint, p_lanes text[]) returns text
language plpgsql stable as $$
begin
  if (select worker from castellan.lane where name = p_lane) = 'open' and p_level <= castellan.cloud_clearance(p_lanes) then
    return 'runs_open';
  end if;
  return 'runs_private';
end $$;

-- May this session take this run up? Each belongs to one worker. The private one reads everything, and what it has read it could say in a run in
-- which a cloud model is asked: it takes none of those.
create function may_take(p_lane text, p_level smallint, p_lanes text[]) returns boolean
language plpgsql stable as $$
begin
  return case session_user
    when 'castellan_worker_open' then castellan.queue_of(p_lane, p_level, p_lanes) = 'runs_open'
    when 'castellan_worker_private' then castellan.queue_of(p_lane, p_level, p_lanes) = 'runs_private'
    else true end;
end $$;

-- Records a due slot or a request and opens its run, or says why not. One slot of a job is opened once, whoever asks.
-- Returns {outcome: opened|waiting|skipped|duplicate, run, queue, replaced}.
create function run_open(p_run uuid, p_occurrence uuid, p_job text, p_slot timestamptz, p_origin text, p_key text, p_input jsonb) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  j job; active uuid; opened_state text := 'queued'; replaced uuid[]; v_queue text; v_lanes text[]; v_pushed boolean;
begin
  select * into j from job where name = p_job and declared;
  if not found then
    raise exception 'no job %', p_job using errcode = 'CA404';
  end if;
  v_lanes := case when j.lane = any (j.label_lanes) then j.label_lanes else lanes_join(j.label_lanes, array[j.lane]) end;
  if j.overlap <> 'allow' then
    perform 1 from job where name = p_job for no key update;
  end if;
  -- names, times and states are P1; a key that the operator gave may say as much as the job's input does
  insert into occurrence (id, job, slot, origin, idempotency_key, label_level, label_integrity, label_lanes)
  values (p_occurrence, p_job, p_slot, p_origin, p_key,
    case when p_origin = 'manual' and p_key is not null then greatest(1, j.label_level) else 1 end,
    case when p_origin = 'manual' and p_key is not null then j.label_integrity else 'trusted' end, array[j.lane]) on conflict do nothing;
  if not found then
    select r.id into active from occurrence o join run r on r.occurrence_id = o.id
    where o.job = p_job and (o.slot = p_slot or o.idempotency_key = p_key) limit 1;
    -- another slot with a key that was used before is answered for as well
    insert into occurrence (id, job, slot, origin, state, reason, closed_at, label_level, label_integrity, label_lanes)
    values (p_occurrence, p_job, p_slot, p_origin, 'skipped', coalesce('same idempotency key as run ' || active, 'the slot was recorded before'), clock_timestamp(), 1, 'trusted', array[j.lane])
    on conflict do nothing;
    return jsonb_build_object('outcome', 'duplicate', 'run', active);
  end if;
  if j.overlap <> 'allow' then
    select id into active from run where job = p_job and closed_at is null limit 1;
    if active is not null and j.overlap = 'skip' then
      -- what did not run leaves its key to the next that asks
      update occurrence set state = 'skipped', reason = 'overlap: run ' || active || ' was not finished', idempotency_key = null, closed_at = clock_timestamp()
      where id = p_occurrence;
      perform audit_write('occurrence.skipped', p_job, jsonb_build_object('slot', p_slot, 'run', active));
      return jsonb_build_object('outcome', 'skipped', 'run', active);
    elsif active is not null and j.overlap = 'queue' then
      opened_state := 'waiting';
    elsif active is not null then
      with ended as (
        update run set state = 'cancelled', behind_another = false, fence = null, closed_at = clock_timestamp(),
          error = jsonb_build_object('code', 'run.replaced', 'message', 'replaced by run ' || p_run)
        where job = p_job and closed_at is null returning id, occurrence_id
      ), closed as (
        update occurrence o set state = 'failed', reason = 'replaced by run ' || p_run, closed_at = clock_timestamp()
        from ended where o.id = ended.occurrence_id
      )
      select array_agg(id) into replaced from ended;
      perform audit_write('run.closed', id::text, jsonb_build_object('job', p_job, 'state', 'cancelled', 'replaced_by', p_run)) from unnest(replaced) as r(id);
      perform queue_done(queue, array[queue_job]) from run where id = any (replaced) and queue_job is not null;
    end if;
  end if;
  insert into run (id, occurrence_id, job, digest, lane, state, behind_another, input, label_level, label_integrity, label_lanes)
  values (p_run, p_occurrence, p_job, j.digest, j.lane, opened_state, opened_state = 'waiting', p_input, j.label_level, j.label_integrity, v_lanes);
  insert into audit_event (kind, subject, detail, label_level, label_integrity)
  values ('run.opened', p_run::text, jsonb_build_object('job', p_job, 'slot', p_slot, 'origin', p_origin, 'digest', j.digest), 1, 'trusted');
  if opened_state = 'waiting' then
    return jsonb_build_object('outcome', 'waiting', 'run', p_run);
  end if;
  v_queue := queue_of(j.lane, j.label_level, v_lanes);
  v_pushed := queue_push(v_queue, array[p_run]);
  return jsonb_build_object('outcome', 'opened', 'run', p_run, 'replaced', replaced, 'queue', v_queue);
end $$;

-- Closes slots that will not run, each with its reason. Slots already recorded are left as they are; returns how many were new.
create function occurrences_close(p_job text, p_ids uuid[], p_slots timestamptz[], p_state text, p_reason text) returns integer
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare recorded integer;
begin
  insert into occurrence (id, job, slot, origin, state, reason, closed_at, label_level, label_integrity, label_lanes)
  select id, p_job, slot, 'schedule', p_state, p_reason, clock_timestamp(), 1, 'trusted', array(select lane from job where name = p_job)
  from unnest(p_ids, p_slots) as due(id, slot)
  on conflict do nothing;
  get diagnostics recorded = row_count;
  if recorded > 0 then
    perform audit_write('occurrence.' || p_state, p_job, jsonb_build_object('count', recorded, 'first', p_slots[1], 'last', p_slots[cardinality(p_slots)], 'reason', p_reason));
  end if;
  return recorded;
end $$;

-- Marks the step at this position started. Null when the definition has no such step.
create function step_begin(p_run uuid, p_definition jsonb, p_lane text, p_position integer) returns jsonb
language plpgsql as $$
declare v_step jsonb := p_definition -> 'steps' -> p_position; s castellan.step;
begin
  if v_step is null then
    return null;
  end if;
  insert into castellan.step (run_id, id, position, tool, state, label_lanes)
  values (p_run, v_step ->> 'id', p_position, v_step ->> 'uses', 'started', array[p_lane])
  on conflict (run_id, id) do update set state = 'started', attempt = step.attempt + 1,
    crashes = step.crashes + (step.state = 'started')::integer, started_at = clock_timestamp(), closed_at = null
  returning * into s;
  return jsonb_build_object('id', s.id, 'position', s.position, 'attempt', s.attempt, 'failures', s.failures, 'crashes', s.crashes);
end $$;

-- The oldest run of a job that waits for another goes, unless one still has not ended. No row when none goes.
create function run_promote(p_job text) returns castellan.run
language plpgsql as $$
declare promoted castellan.run;
begin
  perform 1 from castellan.job where name = p_job for no key update;
  if not exists (select 1 from castellan.run where job = p_job and closed_at is null and not behind_another) then
    -- one that is just being cancelled is passed over instead of waited for
    update castellan.run set state = 'queued', behind_another = false where id = (
      select id from castellan.run where job = p_job and behind_another order by id limit 1 for no key update skip locked)
    returning * into promoted;
  end if;
  return promoted;
end $$;

-- Closes a locked run and its occurrence, and lets the next one of the same job go that was waiting for it.
create function run_close(r castellan.run, p_state text, p_error jsonb) returns jsonb
language plpgsql as $$
declare next_run castellan.run; v_queue text; v_ended boolean;
begin
  if r.queue_job is not null then
    v_ended := castellan.queue_done(r.queue, array[r.queue_job]);
  end if;
  update castellan.run set state = p_state, behind_another = false, fence = null, queue_job = null, error = p_error, closed_at = clock_timestamp() where id = r.id;
  update castellan.occurrence set
    state = case p_state when 'succeeded' then 'ran' else 'failed' end,
    reason = case p_state when 'succeeded' then null else p_state || ': ' || coalesce(p_error ->> 'code', 'unknown') end,
    closed_at = clock_timestamp()
  where id = r.occurrence_id;
  insert into castellan.audit_event (kind, subject, detail, label_level, label_integrity)
  values ('run.closed', r.id::text, jsonb_build_object('job', r.job, 'state', p_state, 'code', p_error ->> 'code'), 1, 'trusted');
  if exists (select 1 from castellan.run where job = r.job and behind_another) then
    next_run := castellan.run_promote(r.job);
  end if;
  if next_run.id is null then
    return jsonb_build_object('outcome', p_state, 'next', null);
  end if;
  v_queue := castellan.queue_of(next_run.lane, next_run.label_level, next_run.label_lanes);
  perform castellan.queue_push(v_queue, array[next_run.id]);
  return jsonb_build_object('outcome', p_state, 'next', next_run.id, 'next_queue', v_queue);
end $$;

-- Gives a run that was being executed back to a queue, now or after some seconds.
create function run_requeue(p_run castellan.run, p_queue text, p_delay integer) returns jsonb
language plpgsql as $$
begin
  if p_run.queue_job is not null then
    perform castellan.queue_done(p_run.queue, array[p_run.queue_job]);
  end if;
  perform castellan.queue_push(p_queue, array[p_run.id], p_delay);
  update castellan.run set state = 'queued', fence = null, queue_job = null,
    not_before = case when p_delay > 0 then clock_timestamp() + make_interval(secs => p_delay) end
  where id = p_run.id;
  return jsonb_build_object('queue', p_queue, 'delay', p_delay);
end $$;

-- Takes a run for this executor with a new fence; whoever held it before is refused from now on.
-- Returns {outcome: claimed|gone|not_cleared|dead, run, fence, job, lane, label, definition, input, slot, steps, next}.
-- Called by the functions below alone: whoever named the queue job himself could end the one of another run.
create function run_hold(p_run uuid, p_executor text, p_queue text, p_queue_job uuid) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp set plan_cache_mode = force_generic_plan as $$
declare r run; body jsonb; begun jsonb; v_fence uuid := gen_random_uuid();
begin
  select * into r from run where id = p_run for no key update;
  if not found or r.state not in ('queued', 'running') then
    return jsonb_build_object('outcome', 'gone', 'state', r.state);
  end if;
  -- somebody holds it by another queue job, which hands it on should he die; a second one takes it from nobody
  if r.state = 'running' and r.queue_job <> p_queue_job then
    if queue_holds(r.queue, r.queue_job) then
      return jsonb_build_object('outcome', 'gone', 'state', r.state);
    end if;
  end if;
  if not may_take(r.lane, r.label_level, r.label_lanes) then
    return jsonb_build_object('outcome', 'not_cleared', 'queue', queue_of(r.lane, r.label_level, r.label_lanes));
  end if;
  select definition into body from job_definition where digest = r.digest;
  if r.claimed_at is null and body -> 'steps' -> 0 is not null then
    -- nobody began it before: the plain insert, which costs half as much
    insert into step (run_id, id, position, tool, state, label_lanes)
    values (p_run, body -> 'steps' -> 0 ->> 'id', 0, body -> 'steps' -> 0 ->> 'uses', 'started', array[r.lane]);
    begun := jsonb_build_object('id', body -> 'steps' -> 0 ->> 'id', 'position', 0, 'attempt', 1, 'failures', 0, 'crashes', 0);
  else
    -- steps are finished in their order
    begun := step_begin(p_run, body, r.lane,
      (select coalesce(max(position) + 1, 0) from step where run_id = p_run and state in ('succeeded', 'skipped')));
  end if;
  update run set state = 'running', fence = v_fence, executor = p_executor, queue = p_queue, queue_job = p_queue_job, claimed_at = clock_timestamp(), not_before = null, woken = false where id = p_run;
  if begun is null then
    return run_close(r, 'succeeded', null) || jsonb_build_object('outcome', 'gone', 'state', 'succeeded');
  end if;
  -- an executor that dies in the same step again and again is the step's doing
  if (begun ->> 'crashes')::integer >= 10 then
    update step set state = 'failed', closed_at = clock_timestamp(), error = '{"code":"step.crashed"}' where run_id = p_run and id = begun ->> 'id';
    return run_close(r, 'dead', jsonb_build_object('code', 'step.crashed', 'step', begun ->> 'id',
      'message', 'the process died ten times in this step')) || jsonb_build_object('outcome', 'dead');
  end if;
  return jsonb_build_object(
    'outcome', 'claimed', 'run', p_run, 'fence', v_fence, 'job', r.job, 'lane', r.lane, 'definition', body, 'input', r.input,
    'label', jsonb_build_object('level', r.label_level, 'integrity', r.label_integrity, 'lanes', r.label_lanes),
    'slot', (select slot from occurrence where id = r.occurrence_id),
    'steps', case when (begun ->> 'position')::integer = 0 then '{}' else (select coalesce(jsonb_object_agg(s.id, jsonb_build_object('state', s.state, 'output', s.output)), '{}') from step s where s.run_id = p_run and s.state in ('succeeded', 'skipped')) end,
    'next', begun);
end $$;

-- Stores the result of the step that this fence is in, raises the run's label, and says what comes next.
-- p_result: {step, state: succeeded|skipped|failed|parked, output, hash, label:{level,integrity,lanes}, error, retry, without_model}
-- Returns {outcome: fence_lost|next|moved|retry|parked|succeeded|dead, next, queue, delay, next_queue}.
create function run_advance(p_run uuid, p_fence uuid, p_result jsonb, p_log jsonb default '[]') returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  r run; s step; j job; body jsonb; begun jsonb; v_state text := p_result ->> 'state';
  v_level smallint; v_integrity text; v_lanes text[]; v_same boolean; v_output jsonb := p_result -> 'output';
begin
  select * into r from run where id = p_run and fence = p_fence for no key update;
  if not found then
    return jsonb_build_object('outcome', 'fence_lost');
  end if;
  v_level := r.label_level;
  v_integrity := r.label_integrity;
  v_lanes := r.label_lanes;
  v_same := p_result -> 'label' = jsonb_build_object('level', r.label_level, 'integrity', r.label_integrity, 'lanes', r.label_lanes);
  if v_same is not true then
    v_level := greatest(r.label_level, coalesce((p_result -> 'label' ->> 'level')::smallint, 3));
    v_integrity := integrity_join(r.label_integrity, coalesce(p_result -> 'label' ->> 'integrity', 'untrusted'));
    v_lanes := lanes_join(r.label_lanes, coalesce((select array_agg(name) from jsonb_array_elements_text(p_result -> 'label' -> 'lanes') as l(name)), '{}'));
  end if;
  update step set
    state = case v_state when 'parked' then 'waiting' when 'failed' then 'retrying' else v_state end,
    output = v_output, output_hash = sha256(convert_to(v_output::text, 'UTF8')), error = p_result -> 'error',
    failures = failures + (v_state = 'failed')::integer,
    made_without_model = coalesce((p_result ->> 'without_model')::boolean, false),
    closed_at = case when v_state = 'parked' then null else clock_timestamp() end,
    label_level = v_level, label_integrity = v_integrity, label_lanes = v_lanes
  where run_id = p_run and id = p_result ->> 'step' and state = 'started'
  returning * into s;
  if not found then
    return jsonb_build_object('outcome', 'fence_lost');
  end if;
  if v_level <> r.label_level or v_integrity <> r.label_integrity or v_lanes <> r.label_lanes or s.made_without_model then
    update run set label_level = v_level, label_integrity = v_integrity, label_lanes = v_lanes,
      made_without_model = made_without_model or s.made_without_model where id = p_run;
  end if;
  if jsonb_array_length(p_log) > 0 then
    insert into run_log (run_id, step, at, level, message, fields, label_level, label_integrity, label_lanes)
    select p_run, s.id, (line ->> 'at')::timestamptz, line ->> 'level', line ->> 'message', coalesce(line -> 'fields', '{}'), v_level, v_integrity, v_lanes
    from jsonb_array_elements(p_log) as l(line);
  end if;
  insert into audit_event (kind, subject, detail, label_level, label_integrity)
  values ('step.closed', p_run::text, jsonb_build_object('step', s.id, 'state', v_state, 'attempt', s.attempt,
    'output', encode(s.output_hash, 'hex'), 'level', v_level), 1, 'trusted');

  if v_state = 'failed' then
    select * into j from job where name = r.job;
    if coalesce((p_result ->> 'retry')::boolean, true) and s.failures < coalesce(j.tries, 3) then
      return run_requeue(r, queue_of(r.lane, v_level, v_lanes), (2 ^ s.failures)::integer) || jsonb_build_object('outcome', 'retry');
    end if;
    update step set state = 'failed' where run_id = p_run and id = s.id;
    return run_close(r, 'dead', coalesce(p_result -> 'error', '{}') || jsonb_build_object('step', s.id, 'tries', s.failures));
  elsif v_state = 'parked' then
    if r.woken then
      return run_requeue(r, queue_of(r.lane, v_level, v_lanes), 0) || jsonb_build_object('outcome', 'retry');
    end if;
    perform queue_done(r.queue, array[r.queue_job]) where r.queue_job is not null;
    update run set state = 'parked', fence = null, queue_job = null where id = p_run;
    return jsonb_build_object('outcome', 'parked');
  end if;

  if session_user = 'castellan_worker_open' and not may_execute(r.lane, v_level, v_lanes) then
    perform run_requeue(r, 'runs_private', 0);
    return jsonb_build_object('outcome', 'moved', 'queue', 'runs_private');
  end if;
  select definition into body from job_definition where digest = r.digest;
  if body -> 'steps' -> (s.position + 1) is not null then
    return jsonb_build_object('outcome', 'next', 'next', step_begin(p_run, body, r.lane, s.position + 1));
  end if;
  return run_close(r, 'succeeded', null);
end $$;

-- The version that a program must know to execute anything, when it is newer than p_schema, the newest that this one knows.
create function schema_outgrew(p_schema integer) returns integer
language plpgsql stable as $$
begin
  return (select max(min_app) from castellan.schema_meta where (min_app <= p_schema) is not true);
end $$;

-- Takes one run that is known by its id, without a queue job. As run_hold, or {outcome: outdated, needs}.
create function run_claim(p_run uuid, p_executor text, p_schema integer) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_needs integer := schema_outgrew(p_schema);
begin
  if v_needs is not null then
    return jsonb_build_object('outcome', 'outdated', 'needs', v_needs);
  end if;
  return run_hold(p_run, p_executor, null, null);
end $$;

-- Says that the executor of these runs is alive, and returns those that are no longer its own: cancelled, replaced, taken over.
create function runs_touch(p_runs uuid[], p_fences uuid[]) returns setof uuid
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_queue text; v_jobs uuid[];
begin
  for v_queue, v_jobs in
    select r.queue, array_agg(r.queue_job) from unnest(p_runs, p_fences) as held(run, fence)
    join run r on r.id = held.run and r.fence = held.fence where r.queue_job is not null group by r.queue
  loop
    perform queue_touch(v_queue, v_jobs);
  end loop;
  return query select held.run from unnest(p_runs, p_fences) as held(run, fence)
    where not exists (select 1 from run r where r.id = held.run and r.fence = held.fence);
end $$;

-- What an executor of this name held when it died goes back to the queue. Returns {queue, delay} for each.
create function runs_recover(p_executor text) returns setof jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run;
begin
  for r in select * from run where closed_at is null and state = 'running' and executor = p_executor
    and may_execute(lane, label_level, label_lanes) for no key update
  loop
    return next run_requeue(r, queue_of(r.lane, r.label_level, r.label_lanes), 0);
  end loop;
end $$;

-- An executor that could not store a result gives the run back.
create function run_release(p_run uuid, p_fence uuid) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run;
begin
  select * into r from run where id = p_run and fence = p_fence for no key update;
  if found then
    perform run_requeue(r, queue_of(r.lane, r.label_level, r.label_lanes), 2);
  end if;
end $$;

-- Enqueues again the runs whose queue job should have come by now and is not there: the queue lost it, or a database was restored.
-- And those that began to wait for another in the moment in which that one ended, so that it did not see them.
-- Returns the queues that have work now.
create function runs_overdue(p_older_than interval) returns setof text
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run; v_queue text; v_job text; v_runs uuid[];
begin
  for v_queue, v_runs in
    select queue_of(lane, label_level, label_lanes), array_agg(id order by id) from run
    where closed_at is null and state = 'queued' and coalesce(not_before, claimed_at, opened_at) < clock_timestamp() - p_older_than
    group by 1 order by 1
  loop
    perform queue_push(v_queue, queue_lacks(v_queue, v_runs));
    return next v_queue;
  end loop;
  for v_job in select distinct job from run where behind_another order by job loop
    r := run_promote(v_job);
    if r.id is not null then
      v_queue := queue_of(r.lane, r.label_level, r.label_lanes);
      perform queue_push(v_queue, array[r.id]);
      return next v_queue;
    end if;
  end loop;
end $$;

create function run_cancel(p_run uuid) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run;
begin
  select * into r from run where id = p_run for no key update;
  if not found then
    return jsonb_build_object('outcome', 'missing');
  elsif r.state in ('succeeded', 'cancelled', 'dead') then
    return jsonb_build_object('outcome', 'closed', 'state', r.state);
  end if;
  update step set state = 'failed', closed_at = clock_timestamp(), error = '{"code":"run.cancelled"}' where run_id = p_run and state in ('started', 'retrying', 'waiting');
  return run_close(r, 'cancelled', '{"code":"run.cancelled","message":"cancelled by the operator"}');
end $$;

-- Takes a closed run up again where it stopped, or from a named step on: finished steps before it are kept.
-- Unless the job's runs may overlap, it waits behind one that has not ended.
-- Returns {outcome: missing|open|swept|no_step|queued|waiting, run, queue, behind}.
create function run_redrive(p_run uuid, p_from text default null) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run; from_position integer; v_behind uuid; v_queue text;
begin
  select * into r from run where id = p_run for no key update;
  if not found then
    return jsonb_build_object('outcome', 'missing');
  elsif r.state not in ('dead', 'cancelled') and not (r.state = 'succeeded' and p_from is not null) then
    return jsonb_build_object('outcome', 'open', 'state', r.state);
  elsif r.swept_at is not null then
    return jsonb_build_object('outcome', 'swept');
  end if;
  if p_from is not null then
    select position into from_position from step where run_id = p_run and id = p_from;
    if not found then
      return jsonb_build_object('outcome', 'no_step');
    end if;
    delete from step where run_id = p_run and position >= from_position;
  else
    update step set state = 'retrying', failures = 0, crashes = 0 where run_id = p_run and state = 'failed';
  end if;
  if (select overlap from job where name = r.job) is distinct from 'allow' then
    perform 1 from job where name = r.job for no key update;
    select id into v_behind from run where job = r.job and closed_at is null order by id limit 1;
  end if;
  update run set state = case when v_behind is null then 'queued' else 'waiting' end, behind_another = v_behind is not null,
    error = null, closed_at = null, not_before = null, retain_until = null where id = p_run;
  update step set retain_until = null where run_id = p_run;
  update occurrence set state = 'due', reason = null, closed_at = null, retain_until = null where id = r.occurrence_id;
  perform audit_write('run.redriven', p_run::text, jsonb_build_object('job', r.job, 'from', p_from, 'behind', v_behind));
  if v_behind is not null then
    return jsonb_build_object('outcome', 'waiting', 'run', p_run, 'behind', v_behind);
  end if;
  v_queue := queue_of(r.lane, r.label_level, r.label_lanes);
  perform queue_push(v_queue, array[p_run]);
  return jsonb_build_object('outcome', 'queued', 'run', p_run, 'queue', v_queue);
end $$;

create function job_pause(p_job text, p_paused boolean) returns boolean
language plpgsql security definer set search_path = castellan, pg_temp as $$
begin
  update job set paused = p_paused where name = p_job and declared;
  if found then
    perform audit_write(case when p_paused then 'job.paused' else 'job.resumed' end, p_job, '{}');
  end if;
  return found;
end $$;
