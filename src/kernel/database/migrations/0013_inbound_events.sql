-- What other services deliver to webhooks, and the runs that it starts. The listener may only store and count: it reads nothing, and what
-- a webhook is and which label its events have is read in the house, not told by it.

create table inbound_event (
  id          uuid primary key,
  source      text not null,              -- the name of the webhook
  event_id    text not null,              -- as the sender calls it
  type        text not null,
  received_at timestamptz not null,
  body        bytea not null,             -- as it came, but for sales: as the API gave it
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);
create index inbound_event_received on inbound_event (source, received_at desc);
create index inbound_event_unstamped on inbound_event (id) where retain_until is null;
create index inbound_event_retained on inbound_event (retain_until) where retain_until is not null;
create trigger inbound_event_label before update on inbound_event for each row execute function label_only_rises();

-- By what a delivery is known again: hashes, kept longer than what was delivered. Null: for good.
create table inbound_seen (
  source       text not null,
  key          bytea not null check (octet_length(key) = 32),
  seen_at      timestamptz not null,
  retain_until timestamptz,
  primary key (source, key)
);
create index inbound_seen_retained on inbound_seen (retain_until) where retain_until is not null;

-- The jobs that an event starts, written with it; opened once each.
create table inbound_run (
  event_id  uuid not null references inbound_event on delete cascade,
  job       text not null,
  run_id    uuid,
  outcome   text,
  opened_at timestamptz,
  primary key (event_id, job),
  check ((outcome is null) = (opened_at is null))
);
create index inbound_run_due on inbound_run (event_id) where outcome is null;

-- What became of deliveries, by day (UTC). Names and numbers, nothing that was delivered.
create table inbound_tally (
  source  text not null,                  -- '?': of a name that is not declared
  day     date not null,
  outcome text not null,
  count   bigint not null,
  last_at timestamptz not null,
  primary key (source, day, outcome)
);

-- Is an event of this type meant? By no pattern all are; a * at the end stands for any rest.
create function inbound_wants(p_patterns jsonb, p_type text) returns boolean
language sql immutable parallel safe as $$
  select coalesce(jsonb_array_length(p_patterns), 0) = 0 or exists (
    select 1 from jsonb_array_elements_text(p_patterns) as p(pattern)
    where pattern = p_type or (right(pattern, 1) = '*' and starts_with(p_type, left(pattern, -1))))
$$;

create function inbound_count(p_source text, p_outcome text, p_count integer, p_at timestamptz) returns void
language sql as $$
  insert into castellan.inbound_tally (source, day, outcome, count, last_at) values (p_source, (p_at at time zone 'UTC')::date, p_outcome, p_count, p_at)
  on conflict (source, day, outcome) do update set count = inbound_tally.count + excluded.count, last_at = greatest(inbound_tally.last_at, excluded.last_at)
$$;

-- Stores a delivery that was found genuine, with the jobs that it starts: all of it, or nothing. Returns stored | replayed | unwanted.
-- p_keys: by what it is known again. p_keep: how long; null for good.
create function inbound_store(p_id uuid, p_source text, p_event_id text, p_type text, p_keys bytea[], p_keep interval, p_body bytea, p_received timestamptz) returns text
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_webhook jsonb; v_new integer; v_outcome text := 'stored';
begin
  select w into v_webhook from house h, jsonb_array_elements(h.settings -> 'settings' -> 'webhooks') as d(w) where h.current and w ->> 'name' = p_source;
  if v_webhook is null then
    raise exception 'there is no webhook %', p_source using errcode = 'CA404';
  elsif coalesce(cardinality(p_keys), 0) = 0 then
    raise exception 'a delivery that cannot be known again is not stored' using errcode = 'CA400';
  end if;
  if not inbound_wants(v_webhook -> 'events', p_type) then
    v_outcome := 'unwanted';
  else
    -- in one order, so that two deliveries never wait for each other; the second waits here until the first is stored
    insert into inbound_seen (source, key, seen_at, retain_until)
    select p_source, k.key, p_received, p_received + p_keep from (select distinct key from unnest(p_keys) as u(key) order by key) as k
    on conflict do nothing;
    get diagnostics v_new = row_count;
    if v_new < (select count(distinct key) from unnest(p_keys) as u(key)) then
      v_outcome := 'replayed';
    else
      insert into inbound_event (id, source, event_id, type, received_at, body, label_level, label_integrity, label_lanes)
      values (p_id, p_source, p_event_id, p_type, p_received, p_body,
        coalesce((v_webhook -> 'label' ->> 'level')::smallint, 3), 'untrusted',
        array(select name from jsonb_array_elements_text(v_webhook -> 'label' -> 'lanes') as l(name) order by name));
      insert into inbound_run (event_id, job)
      select p_id, j.name from job j join job_definition d on d.digest = j.digest
      where j.declared and d.definition -> 'webhook' ->> 'name' = p_source and inbound_wants(d.definition -> 'webhook' -> 'events', p_type);
      perform audit_write('webhook.stored', p_id::text, jsonb_build_object('source', p_source, 'sha256', encode(sha256(p_body), 'hex'), 'size', octet_length(p_body)), 1::smallint);
    end if;
  end if;
  perform inbound_count(p_source, v_outcome, 1, p_received);
  return v_outcome;
end $$;

-- Counts deliveries that were not taken in, and says so in the audit. A name that is not declared is a stranger's word, and becomes '?'.
create function inbound_refuse(p_source text, p_reason text, p_count integer, p_at timestamptz) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_source text := '?';
begin
  if p_reason not in ('unknown', 'forged', 'late', 'malformed', 'size', 'type', 'slow', 'rate', 'unready') or p_count < 1 then
    raise exception 'no such refusal' using errcode = 'CA400';
  end if;
  if exists (select 1 from house h, jsonb_array_elements(h.settings -> 'settings' -> 'webhooks') as d(w) where h.current and w ->> 'name' = p_source) then
    v_source := p_source;
  end if;
  perform inbound_count(v_source, p_reason, p_count, p_at);
  perform audit_write('webhook.refused', v_source, jsonb_build_object('reason', p_reason, 'count', p_count), 1::smallint);
end $$;

-- What waits for its run: of jobs that are declared and not paused, the oldest first.
create function inbound_due(p_limit integer) returns table (event uuid, job text)
language sql stable security definer set search_path = castellan, pg_temp as $$
  select r.event_id, r.job from inbound_run r join inbound_event e on e.id = r.event_id join job j on j.name = r.job
  where r.outcome is null and j.declared and not j.paused order by e.received_at, e.id, r.job limit p_limit
$$;

-- Opens the run of one job for one event, once, whoever asks and however often. The run carries the label of the event from its beginning,
-- and a reference to it as its input. Returns what run_open returns; null when there is nothing to open.
create function inbound_open(p_event uuid, p_job text, p_run uuid, p_occurrence uuid) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare e inbound_event; v_key text; v_slot timestamptz; v_opened jsonb;
begin
  perform 1 from inbound_run where event_id = p_event and job = p_job and outcome is null for update;
  if not found or not exists (select 1 from job where name = p_job and declared and not paused) then
    return null;
  end if;
  select * into e from inbound_event where id = p_event;
  -- a hash, because occurrences are seen by more than the event may be
  v_key := 'event ' || encode(sha256(convert_to(e.source || ' ' || e.event_id, 'UTF8')), 'hex');
  v_slot := e.received_at;
  loop
    v_opened := run_open(p_run, p_occurrence, p_job, v_slot, 'webhook', v_key, jsonb_build_object('event', jsonb_build_object(
      'id', e.id, 'webhook', e.source, 'event_id', e.event_id, 'type', e.type, 'received_at', to_char(e.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))));
    exit when v_opened ->> 'outcome' <> 'duplicate' or exists (select 1 from occurrence where job = p_job and idempotency_key = v_key);
    -- two events of one moment are two slots
    v_slot := v_slot + interval '1 microsecond';
  end loop;
  update run set label_level = greatest(label_level, e.label_level), label_integrity = integrity_join(label_integrity, e.label_integrity), label_lanes = lanes_join(label_lanes, e.label_lanes)
  where id = p_run and (label_level < e.label_level or label_integrity <> integrity_join(label_integrity, e.label_integrity) or not label_lanes @> e.label_lanes);
  update inbound_run set outcome = v_opened ->> 'outcome', run_id = (v_opened ->> 'run')::uuid, opened_at = clock_timestamp() where event_id = p_event and job = p_job;
  return v_opened;
end $$;

alter table inbound_event enable row level security;
create policy cleared on inbound_event for select to castellan_worker_open using (label_level <= cloud_clearance(label_lanes));
create policy everything on inbound_event for select to castellan_worker_private, castellan_server using (true);

revoke execute on function inbound_wants, inbound_count, inbound_store, inbound_refuse, inbound_due, inbound_open from public;
grant usage on schema castellan to castellan_listener;
grant execute on function inbound_store, inbound_refuse to castellan_listener;
grant execute on function inbound_due, inbound_open to castellan_server;
grant select on inbound_event to castellan_worker_open, castellan_worker_private;
-- that something came, and not what
grant select (id, source, type, received_at, label_level, label_integrity, label_lanes) on inbound_event to castellan_server;
grant select on inbound_run, inbound_tally to castellan_server;
