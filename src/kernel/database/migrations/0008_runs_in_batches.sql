-- Runs by the handful: what server and workers call. What is plain for all runs of a batch is done by one statement a table; a run
-- that needs more (another one in its way, a label that rises, a failure, an executor that was lost) goes through the function for
-- one run in 0002. Runs are locked in the order of their ids, and what was locked is read by a statement of its own behind
-- the lock: a statement does not see what was committed while it waited.
-- Plans are generic: PostgreSQL would plan some of these statements anew each time, which cost a tenth of a run (measured).

-- Opens a run for each request, as run_open does. Returns {outcome: opened|waiting|skipped|duplicate, run, queue, replaced} by place.
create function runs_open(p_runs uuid[], p_occurrences uuid[], p_jobs text[], p_slots timestamptz[], p_origins text[], p_keys text[], p_inputs jsonb[])
returns table (place integer, opened jsonb)
language plpgsql security definer set search_path = castellan, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare v_places integer[]; v_runs uuid[]; v_queues text[]; v_queue text; i integer;
begin
  with plain as materialized (
    select j.name, j.digest, j.lane, j.label_level, j.label_integrity, lanes.joined as label_lanes, queue_of(j.lane, j.label_level, lanes.joined) as queue
    from job j, lateral (select case when j.lane = any (j.label_lanes) then j.label_lanes else lanes_join(j.label_lanes, array[j.lane]) end as joined) as lanes
    where j.name = any (p_jobs) and j.declared and j.overlap = 'allow'
  ), wanted as materialized (
    select w.*, p.digest, p.lane, p.label_level, p.label_integrity, p.label_lanes, p.queue
    from unnest(p_runs, p_occurrences, p_jobs, p_slots, p_origins, p_keys, p_inputs)
      with ordinality as w(run, occurrence, job, slot, origin, key, input, place)
    join plain p on p.name = w.job
  ), recorded as (
    -- the labels are those of run_open
    insert into occurrence (id, job, slot, origin, idempotency_key, label_level, label_integrity, label_lanes)
    select occurrence, job, slot, origin, key,
      case when origin = 'manual' and key is not null then greatest(1, label_level) else 1 end,
      case when origin = 'manual' and key is not null then label_integrity else 'trusted' end, array[lane]
    from wanted w order by w.job, w.place
    on conflict do nothing returning id
  ), opening as materialized (
    select w.* from wanted w join recorded r on r.id = w.occurrence
  ), run_rows as (
    insert into run (id, occurrence_id, job, digest, lane, state, input, label_level, label_integrity, label_lanes)
    select run, occurrence, job, digest, lane, 'queued', input, label_level, label_integrity, label_lanes from opening
  ), told as (
    insert into audit_event (kind, subject, detail, label_level, label_integrity)
    select 'run.opened', run::text, jsonb_build_object('job', job, 'slot', slot, 'origin', origin, 'digest', digest), 1, 'trusted' from opening
  )
  select array_agg(o.place), array_agg(o.run), array_agg(o.queue) into v_places, v_runs, v_queues from opening o;

  if v_queues[1] = all (v_queues) then
    perform queue_push(v_queues[1], v_runs);
  else
    for v_queue in select distinct name from unnest(v_queues) as q(name) order by name loop
      perform queue_push(v_queue, array(select run from unnest(v_runs, v_queues) as o(run, queue) where queue = v_queue));
    end loop;
  end if;
  for i in 1 .. coalesce(cardinality(v_places), 0) loop
    place := v_places[i];
    opened := jsonb_build_object('outcome', 'opened', 'run', v_runs[i], 'replaced', null, 'queue', v_queues[i]);
    return next;
  end loop;

  if coalesce(cardinality(v_places), 0) < cardinality(p_runs) then
    -- jobs in one order, so that two of us never wait for each other
    for i in select w.i from generate_subscripts(p_runs, 1) as w(i) where (w.i = any (v_places)) is not true order by p_jobs[w.i], w.i loop
      place := i;
      opened := run_open(p_runs[i], p_occurrences[i], p_jobs[i], p_slots[i], p_origins[i], p_keys[i], p_inputs[i]);
      return next;
    end loop;
  end if;
end $$;

-- Takes one run that came off a queue, or sends it where it can be executed, or drops a queue job without a run to execute.
create function take_one(p_queue text, p_job uuid, p_run uuid, p_executor text) returns jsonb
language plpgsql as $$
declare claim jsonb := castellan.run_hold(p_run, p_executor, p_queue, p_job);
begin
  if claim ->> 'outcome' = 'claimed' then
    return claim;
  end if;
  perform castellan.queue_done(p_queue, array[p_job]);
  if claim ->> 'outcome' = 'not_cleared' then
    perform castellan.queue_push(claim ->> 'queue', array[p_run]);
  end if;
  return null;
end $$;

-- Takes up to p_limit runs off a queue for this executor: one transaction. A run that cannot be executed here is sent where it
-- can; a queue job without a run to execute is done. Returns an array of claims as run_claim gives them.
create function runs_take(p_queue text, p_limit integer, p_executor text, p_schema integer) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare pulled record; v_jobs uuid[]; v_runs uuid[]; v_held uuid[]; v_claims jsonb; claim jsonb; v_needs integer; i integer;
begin
  if session_user = 'castellan_worker_open' and p_queue <> 'runs_open' then
    raise exception 'the open worker takes no runs from %', p_queue using errcode = '42501';
  end if;
  v_needs := schema_outgrew(p_schema);
  if v_needs is not null then
    return jsonb_build_array(jsonb_build_object('outcome', 'outdated', 'needs', v_needs));
  end if;
  pulled := queue_pull(p_queue, p_limit); -- an assignment calls it without a query around it
  v_jobs := pulled.jobs;
  v_runs := pulled.runs;
  if v_runs is null then
    return '[]';
  elsif cardinality(v_runs) = 1 then
    claim := take_one(p_queue, v_jobs[1], v_runs[1], p_executor);
    return case when claim is null then '[]' else jsonb_build_array(claim) end;
  end if;
  perform 1 from run r where r.id = any (v_runs) order by r.id for no key update;
  with pulled as materialized (
    -- a second queue job for the same run waits for its turn below
    select distinct on (p.run) p.run, p.job from unnest(v_runs, v_jobs) as p(run, job)
  ), due as materialized (
    select r.id, r.occurrence_id, r.job as name, r.lane, r.input, r.label_level, r.label_integrity, r.label_lanes, p.job as queue_job, d.definition, at.position,
      d.definition -> 'steps' -> at.position as step
    from pulled p join run r on r.id = p.run join job_definition d on d.digest = r.digest,
      -- steps are finished in their order
      lateral (select coalesce(max(s.position) + 1, 0) as position from step s where s.run_id = r.id and s.state in ('succeeded', 'skipped')) as at
    where (r.state = 'queued' or (r.state = 'running' and r.queue_job = p.job)) and may_take(r.lane, r.label_level, r.label_lanes)
  ), begun as (
    insert into step (run_id, id, position, tool, state, label_lanes)
    select id, step ->> 'id', position, step ->> 'uses', 'started', array[lane] from due where step is not null
    on conflict (run_id, id) do update set state = 'started', attempt = step.attempt + 1,
      crashes = step.crashes + (step.state = 'started')::integer, started_at = clock_timestamp(), closed_at = null
    returning run_id, id, position, attempt, failures, crashes
  ), held as (
    update run r set state = 'running', fence = gen_random_uuid(), executor = p_executor, queue = p_queue, queue_job = d.queue_job,
      claimed_at = clock_timestamp(), not_before = null, woken = false
    from due d join begun b on b.run_id = d.id
    where r.id = d.id and b.crashes < 10
    returning r.id, r.fence
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'outcome', 'claimed', 'run', d.id, 'fence', h.fence, 'job', d.name, 'lane', d.lane, 'definition', d.definition, 'input', d.input,
    'label', jsonb_build_object('level', d.label_level, 'integrity', d.label_integrity, 'lanes', d.label_lanes),
    'slot', (select o.slot from occurrence o where o.id = d.occurrence_id),
    'steps', case when d.position = 0 then '{}' else (select coalesce(jsonb_object_agg(s.id, jsonb_build_object('state', s.state, 'output', s.output)), '{}')
      from step s where s.run_id = d.id and s.state in ('succeeded', 'skipped')) end,
    'next', jsonb_build_object('id', b.id, 'position', b.position, 'attempt', b.attempt, 'failures', b.failures, 'crashes', b.crashes))), '[]'), array_agg(d.queue_job)
  into v_claims, v_held from held h join due d on d.id = h.id join begun b on b.run_id = h.id;

  if jsonb_array_length(v_claims) < cardinality(v_runs) then
    for i in select w.i from generate_subscripts(v_runs, 1) as w(i)
      where (v_jobs[w.i] = any (v_held)) is not true order by v_runs[w.i]
    loop
      claim := take_one(p_queue, v_jobs[i], v_runs[i], p_executor);
      if claim is not null then
        v_claims := v_claims || jsonb_build_array(claim);
      end if;
    end loop;
  end if;
  return v_claims;
end $$;

-- Stores the results of steps and hands their runs on, as run_advance does. Plain are those that succeeded or were skipped under
-- the label that their run had, while no other run waits for theirs to end. Returns run_advance's outcomes by place.
create function runs_advance(p_runs uuid[], p_fences uuid[], p_results jsonb[], p_logs jsonb[])
returns table (place integer, outcome jsonb)
language plpgsql security definer set search_path = castellan, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare v_places integer[]; v_outcomes jsonb[]; v_queues text[]; v_jobs uuid[]; v_queue text; i integer;
begin
  perform 1 from run r where r.id = any (p_runs) order by r.id for no key update;
  with plain as materialized (
    select distinct on (r.id) w.place, w.result, w.log, r.id, r.job, r.occurrence_id, r.lane, r.queue, r.queue_job, r.label_level, r.label_integrity, r.label_lanes,
      d.definition -> 'steps' as steps
    from unnest(p_runs, p_fences, p_results, p_logs) with ordinality as w(run, fence, result, log, place)
    join run r on r.id = w.run and r.fence = w.fence join job_definition d on d.digest = r.digest
    where w.result ->> 'state' in ('succeeded', 'skipped') and coalesce((w.result ->> 'without_model')::boolean, false) is false
      and w.result -> 'label' = jsonb_build_object('level', r.label_level, 'integrity', r.label_integrity, 'lanes', r.label_lanes)
      and may_execute(r.lane, r.label_level, r.label_lanes)
      and not exists (select 1 from run behind where behind.job = r.job and behind.behind_another)
  ), stored as (
    update step s set state = p.result ->> 'state', output = p.result -> 'output',
      output_hash = sha256(convert_to((p.result -> 'output')::text, 'UTF8')), error = p.result -> 'error', closed_at = clock_timestamp(),
      label_level = p.label_level, label_integrity = p.label_integrity, label_lanes = p.label_lanes
    from plain p
    where s.run_id = p.id and s.id = p.result ->> 'step' and s.state = 'started'
    returning s.run_id, s.id, s.position, s.attempt, s.state, s.output_hash
  ), done as materialized (
    select p.*, s.id as step, s.position, s.attempt, s.state, s.output_hash, p.steps -> (s.position + 1) as next
    from plain p join stored s on s.run_id = p.id
  ), logged as (
    insert into run_log (run_id, step, at, level, message, fields, label_level, label_integrity, label_lanes)
    select d.id, d.step, (line ->> 'at')::timestamptz, line ->> 'level', line ->> 'message', coalesce(line -> 'fields', '{}'), d.label_level, d.label_integrity, d.label_lanes
    from done d, jsonb_array_elements(d.log) as l(line)
  ), begun as (
    insert into step (run_id, id, position, tool, state, label_lanes)
    select d.id, d.next ->> 'id', d.position + 1, d.next ->> 'uses', 'started', array[d.lane] from done d where d.next is not null
    on conflict (run_id, id) do update set state = 'started', attempt = step.attempt + 1,
      crashes = step.crashes + (step.state = 'started')::integer, started_at = clock_timestamp(), closed_at = null
    returning run_id, id, position, attempt, failures, crashes
  ), closed as (
    update run r set state = 'succeeded', fence = null, queue_job = null, error = null, closed_at = clock_timestamp()
    from done d where r.id = d.id and d.next is null
  ), answered as (
    update occurrence o set state = 'ran', reason = null, closed_at = clock_timestamp() from done d where o.id = d.occurrence_id and d.next is null
  ), told as (
    insert into audit_event (kind, subject, detail, label_level, label_integrity)
    select 'step.closed', d.id::text,
      jsonb_build_object('step', d.step, 'state', d.state, 'attempt', d.attempt, 'output', encode(d.output_hash, 'hex'), 'level', d.label_level), 1, 'trusted' from done d
    union all
    select 'run.closed', d.id::text, jsonb_build_object('job', d.job, 'state', 'succeeded', 'code', null), 1, 'trusted' from done d where d.next is null
  )
  select array_agg(d.place), array_agg(case when d.next is null then '{"outcome": "succeeded", "next": null}' else jsonb_build_object('outcome', 'next',
      'next', jsonb_build_object('id', b.id, 'position', b.position, 'attempt', b.attempt, 'failures', b.failures, 'crashes', b.crashes)) end),
    array_agg(d.queue) filter (where d.next is null and d.queue_job is not null),
    array_agg(d.queue_job) filter (where d.next is null and d.queue_job is not null)
  into v_places, v_outcomes, v_queues, v_jobs from done d left join begun b on b.run_id = d.id;

  if v_queues[1] = all (v_queues) then
    perform queue_done(v_queues[1], v_jobs);
  else
    for v_queue in select distinct name from unnest(v_queues) as q(name) order by name loop
      perform queue_done(v_queue, array(select job from unnest(v_jobs, v_queues) as d(job, queue) where queue = v_queue));
    end loop;
  end if;
  return query select * from unnest(v_places, v_outcomes);

  if coalesce(cardinality(v_places), 0) < cardinality(p_runs) then
    for i in select w.i from generate_subscripts(p_runs, 1) as w(i) where (w.i = any (v_places)) is not true order by p_runs[w.i], w.i loop
      place := i;
      outcome := run_advance(p_runs[i], p_fences[i], p_results[i], p_logs[i]);
      return next;
    end loop;
  end if;
end $$;

-- Returns once everything that was committed before is on the disk. From PostgreSQL 17 on a message can be flushed without a
-- transaction of its own.
do $$
begin
  execute format('create function ledger_flush() returns void language sql as %L',
    case when current_setting('server_version_num')::integer >= 170000 then 'select pg_logical_emit_message(false, ''castellan'', ''flush'', true)'
    else 'select pg_logical_emit_message(true, ''castellan'', ''flush'')' end);
end $$;

revoke execute on function ledger_flush, take_one, runs_open, runs_take, runs_advance from public;
grant execute on function runs_open, ledger_flush to castellan_server;
grant execute on function runs_take, runs_advance, ledger_flush to castellan_worker_open, castellan_worker_private;
