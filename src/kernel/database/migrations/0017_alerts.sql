-- What somebody should look at: counted signals, the rules over them, and the alerts that they open. Processes report, each only what it may;
-- when an alert opens, rises, or is over, is decided here, so that no process has to be believed to decide it. Nobody deletes one.

create table alert_rule (
  kind        text primary key,
  level       text not null check (level in ('critical', 'warning', 'info')),
  -- an alert opens when more than so many signals came within that time
  more_than   integer not null check (more_than >= 0),
  within      interval not null check (within between '1 minute' and '1 day'),
  -- with more than so many within that time it becomes critical
  critical_at integer check (critical_at >= more_than),
  -- over after so long without another signal, a critical one only once it was acknowledged: silence is what an attacker would make.
  -- Null: over when its reporter says so.
  quiet       interval,
  -- who may report it; the owner may report all
  roles       name[] not null
);

-- By minute, for the times of the rules.
create table alert_signal (
  kind     text not null references alert_rule,
  subject  text not null,
  reporter name not null,
  minute   timestamptz not null,
  count    bigint not null,
  primary key (kind, subject, reporter, minute)
);

create table alert (
  id              uuid primary key default gen_random_uuid(),
  kind            text not null references alert_rule,
  -- a door, role, process, connector, job or webhook: a name of the house, never a stranger's word
  subject         text not null,
  level           text not null check (level in ('critical', 'warning', 'info')),
  state           text not null check (state in ('open', 'acknowledged', 'closed')),
  -- how many each reporter has seen since it was opened: two that see the same thing are not twice as many
  counts          jsonb not null,
  -- the stable code of the newest, where there is one
  code            text,
  times_opened    integer not null default 1,
  first_seen      timestamptz not null,
  last_seen       timestamptz not null,
  opened_at       timestamptz not null,
  acknowledged_at timestamptz,
  closed_at       timestamptz,
  -- by job: the opening, and the level in it, that a run was opened for last, and which run
  started         jsonb not null default '{}',
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until    timestamptz,
  unique (kind, subject),
  check ((state = 'closed') = (closed_at is not null))
);
create index alert_unclosed on alert (kind) where closed_at is null;
create index alert_unstamped on alert (id) where closed_at is not null and retain_until is null;
create index alert_retained on alert (retain_until) where retain_until is not null;
create trigger alert_label before update on alert for each row execute function label_only_rises();

insert into alert_rule (kind, level, more_than, within, critical_at, quiet, roles) values
  ('signin.failed',       'warning',  5, '5 minutes', 100,  '15 minutes', '{castellan_server,castellan_releaser,castellan_gate_local,castellan_gate_cloud}'),
  ('page.stranger',       'warning',  0, '5 minutes', null, '1 hour',     '{castellan_server,castellan_releaser,castellan_gate_local,castellan_gate_cloud}'),
  ('database.refused',    'warning',  0, '5 minutes', 5,    '1 hour',     '{castellan_server,castellan_releaser,castellan_gate_local,castellan_gate_cloud,castellan_worker_open,castellan_worker_private,castellan_reader}'),
  ('command.refused',     'warning',  0, '5 minutes', 20,   '1 hour',     '{castellan_worker_open,castellan_worker_private}'),
  ('sandbox.unsafe',        'critical', 0, '5 minutes', null, '1 day',      '{castellan_worker_open,castellan_worker_private}'),
  ('injection.stopped',   'warning',  0, '5 minutes', 20,   '1 day',      '{castellan_releaser}'),
  ('outbound.unexpected', 'warning',  0, '5 minutes', 20,   '1 hour',     '{castellan_releaser,castellan_gate_local,castellan_gate_cloud,castellan_reader}'),
  ('label.refused',       'warning',  5, '5 minutes', null, '1 hour',     '{castellan_gate_local,castellan_gate_cloud}'),
  ('signature.failed',    'critical', 0, '5 minutes', null, '1 day',      '{castellan_releaser}'),
  ('nonce.replayed',      'critical', 0, '5 minutes', null, '1 day',      '{castellan_releaser}'),
  ('nonces.lost',         'critical', 0, '5 minutes', null, '1 day',      '{castellan_releaser}'),
  ('audit.broken',        'critical', 0, '5 minutes', null, null,         '{castellan_releaser}'),
  ('webhook.forged',      'warning',  5, '5 minutes', 100,  '1 hour',     '{castellan_server}'),
  -- what `up` sees, which is the owner
  ('process.crashing',    'warning',  1, '5 minutes', null, '10 minutes', '{}'),
  ('process.down',        'critical', 0, '5 minutes', null, null,         '{}'),
  ('isolation.demonstration', 'info', 0, '5 minutes', null, null,         '{}');

create function alert_mine(p_kind text) returns alert_rule
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
declare r alert_rule;
begin
  select * into r from alert_rule where kind = p_kind;
  if r.kind is null then
    raise exception 'there is no alert %', p_kind using errcode = 'CA404';
  -- within a definer function the current user is the owner
  elsif session_user <> all (r.roles) and session_user <> current_user then
    raise exception 'role % may not report %', session_user, p_kind using errcode = '42501';
  end if;
  return r;
end $$;

create function alert_said(p_event text, a alert) returns void
language sql as $$
  select castellan.audit_write(p_event, a.kind, jsonb_build_object('alert', a.id, 'subject', a.subject, 'level', a.level, 'code', a.code))
$$;

-- Counts what was seen and draws the conclusion. Returns the outcome, watched | opened | counted | raised, and the level. p_at: when the reporter saw it; the future is not believed.
create function alert_report(p_kind text, p_subject text, p_count bigint, p_at timestamptz, p_code text default null) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare
  r alert_rule := alert_mine(p_kind);
  a alert;
  v_at timestamptz := least(p_at, clock_timestamp());
  v_minute timestamptz := date_trunc('minute', v_at, 'UTC');
  v_since timestamptz := v_minute - r.within;
  v_seen bigint;
  v_first timestamptz;
  v_level text;
begin
  if coalesce(p_count, 0) not between 1 and 1000000000 or v_at is null or p_subject !~ '^[^[:cntrl:]]{1,100}$' or p_code !~ '^[a-zA-Z0-9._-]{1,60}$' then
    raise exception 'no such signal' using errcode = 'CA400';
  end if;
  -- names of the house are few; who makes up many gets one row for the rest of them
  if not exists (select 1 from alert_signal where kind = p_kind and subject = p_subject)
     and (select count(distinct subject) from alert_signal where kind = p_kind) >= 100 then
    p_subject := 'others';
  end if;
  insert into alert_signal (kind, subject, reporter, minute, count) values (p_kind, p_subject, session_user, v_minute, p_count)
  on conflict (kind, subject, reporter, minute) do update set count = alert_signal.count + excluded.count;
  delete from alert_signal where kind = p_kind and subject = p_subject and minute < v_since;
  select sum(count), min(minute) into v_seen, v_first from alert_signal where kind = p_kind and subject = p_subject and reporter = session_user;
  v_level := case when v_seen > r.critical_at then 'critical' else r.level end;

  select * into a from alert where kind = p_kind and subject = p_subject for update;
  if a.id is null or a.state = 'closed' then
    if v_seen <= r.more_than then
      return '{"outcome": "watched"}';
    end if;
    insert into alert (kind, subject, level, state, counts, code, first_seen, last_seen, opened_at, label_level, label_integrity)
    values (p_kind, p_subject, v_level, 'open', jsonb_build_object(session_user, v_seen), p_code, v_first, v_at, clock_timestamp(), 1, 'trusted')
    on conflict (kind, subject) do update set
      level = excluded.level, state = 'open', counts = excluded.counts, code = excluded.code, times_opened = alert.times_opened + 1,
      first_seen = excluded.first_seen, last_seen = excluded.last_seen, opened_at = excluded.opened_at, acknowledged_at = null, closed_at = null, retain_until = null
      where alert.state = 'closed'
    returning * into a;
    if found then
      perform alert_said('alert.opened', a);
      return jsonb_build_object('outcome', 'opened', 'level', a.level);
    end if;
    -- another reporter opened it in this moment
    select * into a from alert where kind = p_kind and subject = p_subject for update;
  end if;
  update alert set
    counts = counts || jsonb_build_object(session_user, greatest(coalesce((counts ->> session_user)::bigint, 0) + p_count, v_seen)),
    code = coalesce(p_code, code), last_seen = greatest(last_seen, v_at), level = case when v_level = 'critical' then v_level else level end,
    -- worse than what was acknowledged
    state = case when v_level = 'critical' and level <> 'critical' then 'open' else state end
  where id = a.id;
  if v_level = 'critical' and a.level <> 'critical' then
    a.level := 'critical';
    perform alert_said('alert.raised', a);
    return jsonb_build_object('outcome', 'raised', 'level', a.level);
  end if;
  return jsonb_build_object('outcome', 'counted', 'level', a.level);
end $$;

-- The reporter says that it is over. Only of what does not end by silence.
create function alert_over(p_kind text, p_subject text) returns boolean
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r alert_rule := alert_mine(p_kind); a alert;
begin
  if r.quiet is not null then
    raise exception 'the alert % ends by silence', p_kind using errcode = '42501';
  end if;
  update alert set state = 'closed', closed_at = clock_timestamp() where kind = p_kind and subject = p_subject and state <> 'closed' returning * into a;
  if a.id is null then
    return false;
  end if;
  perform alert_said('alert.closed', a);
  return true;
end $$;

-- Closes what has been silent long enough. A clock that runs ahead closes nothing before its time. Returns how many.
create function alerts_settle(p_now timestamptz) returns integer
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare a alert; v_count integer := 0;
begin
  -- every alert is locked in the order of ids, by whoever locks more than one; what changed while it waited for a lock is looked at again
  for a in
    select alert.* from alert join alert_rule r using (kind)
    where alert.closed_at is null and alert.last_seen < least(p_now, clock_timestamp()) - r.quiet
      and (alert.level <> 'critical' or alert.state = 'acknowledged')
    order by alert.id for update of alert
  loop
    update alert set state = 'closed', closed_at = clock_timestamp() where id = a.id;
    perform alert_said('alert.closed', a);
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

-- The operator has seen it. Returns the state that it has then; null: there is none.
create function alert_acknowledge(p_id uuid) returns text
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare a alert;
begin
  update alert set state = 'acknowledged', acknowledged_at = clock_timestamp() where id = p_id and state = 'open' returning * into a;
  if a.id is null then
    return (select state from alert where id = p_id);
  end if;
  perform alert_said('alert.acknowledged', a);
  return a.state;
end $$;

-- What a job is started for once: an opening, and once more when it became critical.
create function alert_opening(a alert) returns text
language sql immutable as $$
  select a.times_opened || ' ' || a.level
$$;

-- Why a job that tells the operator (`outbox.tell`) would tell nobody now: no connector is named (tell), no order stands by which it leaves (order), or the
-- order is used up for today (count); null: it reaches him. A message without an order waits for the signature of somebody who does not know that it waits.
create function alert_silence(p_definition jsonb, p_tell text) returns text
language sql stable as $$
  select case
    when not jsonb_path_exists(p_definition, '$.steps[*].uses ? (@ == "outbox.tell")') then null
    when p_tell is null then 'tell'
    when count(*) = 0 then 'order'
    when bool_and(coalesce(used, 0) >= per_day) then 'count'
  end
  from (
    select o.per_day, (select max(u.n) from castellan.order_use u where u.order_id = o.id and u.day = greatest(
      (clock_timestamp() at time zone o.timezone)::date, (select max(day) from castellan.order_use where order_id = o.id))) as used
    from castellan.standing_order o
    where o.kind = 'telegram.message' and o.connector = p_tell and o.level >= 1 and o.revoked_at is null and (o.expires_at is null or o.expires_at > clock_timestamp())
  ) standing
$$;

-- Why alerts reach nobody: no job is started by them (job), those that are stand paused (paused), or what alert_silence says; null: they reach somebody.
create function alerts_silent(p_tell text) returns text
language sql stable security definer set search_path = castellan, pg_temp as $$
  with watching as (
    select case when j.paused then 'paused' else alert_silence(d.definition, p_tell) end as why
    from job j join job_definition d on d.digest = j.digest where j.declared and d.definition -> 'alerts' = 'true'
  )
  select case when not exists (select from watching) then 'job' when not exists (select from watching where why is null)
    then (select why from watching order by array_position('{count,order,tell,paused}', why) limit 1) end
$$;

-- Did this run say it in a message that nobody signed, and that is over? Then it was said to nobody.
create function alert_expired(p_run uuid) returns boolean
language sql stable as $$
  select coalesce(bool_or(d.state = 'expired') and bool_and(d.state in ('expired', 'replaced')), false)
  from castellan.proposal p join castellan.draft d on d.proposal_id = p.id where p.run_id = p_run and p.kind = 'telegram.message'
$$;

-- The alerts that no run of this job was opened for, or one whose message was over before it left. What the operator has acknowledged he knows; what was
-- over before anybody was told is among them, however long nobody could be.
create function alerts_for(p_job text) returns setof uuid
language sql stable as $$
  select a.id from castellan.alert a join castellan.job j on j.name = p_job
  where a.level <> 'info' and (a.state = 'open' or (a.state = 'closed' and a.acknowledged_at is null and a.closed_at > j.declared_at))
    and (a.started -> p_job ->> 'opening' is distinct from castellan.alert_opening(a) or castellan.alert_expired((a.started -> p_job ->> 'run')::uuid))
$$;

-- The jobs that alerts start and that have one to be started by. While a run of the job is not over, what is new waits for the next; while it would
-- reach nobody, it waits as well. p_tell: the connector that leads to the operator, as castellan.yaml names it.
create function alerts_due(p_tell text) returns setof text
language sql stable security definer set search_path = castellan, pg_temp as $$
  select j.name from job j join job_definition d on d.digest = j.digest
  where j.declared and not j.paused and d.definition -> 'alerts' = 'true' and alert_silence(d.definition, p_tell) is null
    and exists (select from alerts_for(j.name)) and not exists (select from run r where r.job = j.name and r.closed_at is null)
  order by j.name
$$;

-- Opens one run of a job for all the alerts that are new to it, and remembers with it that they are not: both, or nothing. The run has their ids as its
-- input. Returns what run_open returns; null when there is nothing to open.
create function alerts_open(p_job text, p_run uuid, p_occurrence uuid, p_tell text) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_locked uuid[]; v_alerts jsonb; v_slot timestamptz := clock_timestamp(); v_opened jsonb;
begin
  perform 1 from job where name = p_job for no key update;
  if p_job not in (select alerts_due(p_tell)) then
    return null;
  end if;
  -- what opens after this look was not locked in its order, and waits for the next
  v_locked := array(select id from alert where id in (select alerts_for(p_job)) order by id for update);
  with marked as (
    update alert a set started = a.started || jsonb_build_object(p_job, jsonb_build_object('opening', alert_opening(a), 'run', p_run))
    where a.id = any (v_locked) and a.id in (select alerts_for(p_job)) returning a.id
  )
  select jsonb_agg(id order by id) into v_alerts from marked;
  if v_alerts is null then
    return null;
  end if;
  loop
    v_opened := run_open(p_run, p_occurrence, p_job, v_slot, 'alert', null, jsonb_build_object('alerts', v_alerts));
    exit when v_opened ->> 'outcome' <> 'duplicate';
    v_slot := v_slot + interval '1 microsecond';
  end loop;
  if v_opened ->> 'outcome' <> 'opened' then
    raise exception 'job % was not started: %', p_job, v_opened ->> 'outcome' using errcode = 'CA409';
  end if;
  return v_opened;
end $$;

alter table alert enable row level security;
create policy cleared on alert for select to castellan_worker_open using (label_level <= cloud_clearance(label_lanes));
create policy everything on alert for select to castellan_worker_private, castellan_server using (true);

revoke execute on function alert_mine, alert_said, alert_report, alert_over, alerts_settle, alert_acknowledge, alert_opening, alert_silence, alerts_silent, alert_expired, alerts_for, alerts_due, alerts_open
  from public;
grant execute on function alert_report
  to castellan_server, castellan_releaser, castellan_gate_local, castellan_gate_cloud, castellan_worker_open, castellan_worker_private, castellan_reader;
grant execute on function alert_over to castellan_releaser;
grant execute on function alerts_settle, alert_acknowledge, alerts_silent, alerts_due, alerts_open to castellan_server;
grant select on alert, alert_rule to castellan_server;
grant select (id, kind, subject, level, state, counts, code, times_opened, first_seen, last_seen, opened_at, acknowledged_at, closed_at, label_level, label_integrity, label_lanes)
  on alert to castellan_worker_open, castellan_worker_private;
