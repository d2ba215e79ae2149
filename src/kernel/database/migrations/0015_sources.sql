-- What is read from outside. A worker asks in the name of a run that it holds; what may be asked, by whom and how often is read in the house and
-- decided here. The reader takes what was asked, once, and stores what came of it: it reads no table, and which label an answer has it does not say.

create table source_fetch (
  id         uuid primary key,
  source     text not null,
  run_id     uuid not null,               -- on whose behalf; kept longer than the run may be
  job        text not null,
  params     jsonb not null default '{}',
  state      text not null default 'asked' check (state in ('asked', 'open', 'fetched', 'failed', 'refused')),
  reason     text,
  status     integer,                     -- of HTTP, or the exit code of a command
  bytes      bigint,
  asked_at   timestamptz not null default clock_timestamp(),
  opened_at  timestamptz,
  closed_at  timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  check ((closed_at is null) = (state in ('asked', 'open'))),
  check ((state in ('failed', 'refused')) = (reason is not null))
);
create index source_fetch_recent on source_fetch (source, asked_at);
create index source_fetch_open on source_fetch (id) where closed_at is null;
create index source_fetch_unstamped on source_fetch (id) where retain_until is null;
create index source_fetch_retained on source_fetch (retain_until) where retain_until is not null;

-- The newest answer for each way to ask. One that is not what the source declares never gets here.
create table source_snapshot (
  source     text not null,
  params_key bytea not null check (octet_length(params_key) = 32),
  params     jsonb not null,
  fetch_id   uuid not null,
  fetched_at timestamptz not null,        -- when it was asked for: what it says is not older
  media      text not null,
  body       bytea not null,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  primary key (source, params_key)
);
create index source_snapshot_unstamped on source_snapshot (fetch_id) where retain_until is null;
create index source_snapshot_retained on source_snapshot (retain_until) where retain_until is not null;

-- What commands connected to, and what they were refused.
create table source_connection (
  id         uuid primary key,
  fetch_id   uuid not null references source_fetch on delete cascade,
  host       text not null,               -- where it was refused, as the command wrote it
  port       integer,
  address    text,
  outcome    text not null default 'open',
  bytes_up   bigint,
  bytes_down bigint,
  opened_at  timestamptz not null default clock_timestamp(),
  closed_at  timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}'
);
create index source_connection_fetch on source_connection (fetch_id);

create trigger source_fetch_label before update on source_fetch for each row execute function label_only_rises();
create trigger source_snapshot_label before update on source_snapshot for each row execute function label_only_rises();
create trigger source_connection_label before update on source_connection for each row execute function label_only_rises();

create function source_declared(p_source text) returns jsonb
language sql stable as $$
  select s from castellan.house h, jsonb_array_elements(h.settings -> 'settings' -> 'sources') as d(s) where h.current and s ->> 'name' = p_source
$$;

-- Exactly the declared parameters, each a text of its form. What begins with a dash or a dot is of none.
create function source_params_fit(p_declared jsonb, p_given jsonb) returns boolean
language plpgsql immutable as $$
declare d jsonb; v text;
begin
  if jsonb_typeof(p_given) is distinct from 'object' or (select count(*) from jsonb_object_keys(p_given)) <> coalesce(jsonb_array_length(p_declared), 0) then
    return false;
  end if;
  for d in select one from jsonb_array_elements(p_declared) as p(one) loop
    v := p_given ->> (d ->> 'name');
    if v is null or jsonb_typeof(p_given -> (d ->> 'name')) <> 'string' then
      return false;
    end if;
    if not coalesce(case when d ? 'values' then (d -> 'values') ? v
      else case d ->> 'form' when 'id' then v ~ '^[A-Za-z0-9_][A-Za-z0-9._@-]{0,99}$' when 'date' then v ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' when 'number' then v ~ '^[0-9]{1,15}$' end end, false) then
      return false;
    end if;
  end loop;
  return true;
end $$;

-- Asks for a source on behalf of a run. Returns asked | label | params | worker | limit; of these only the first can be taken.
-- Who could have read every row does not choose words: parameters that are not from a list can be said by the open worker alone.
create function source_ask(p_id uuid, p_run uuid, p_fence uuid, p_source text, p_params jsonb) returns text
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run; v_source jsonb; v_reason text; v_params jsonb := p_params;
begin
  select * into r from run where id = p_run and fence = p_fence for share;
  if not found then
    raise exception 'run % is held by another executor', p_run using errcode = 'CA409';
  end if;
  v_source := source_declared(p_source);
  if v_source is null then
    raise exception 'there is no source %', p_source using errcode = 'CA404';
  end if;
  -- one at a time, so that two that come at once are both counted
  perform pg_advisory_xact_lock(hashtext('castellan source'), hashtext(p_source));
  if not source_params_fit(v_source -> 'params', p_params) then
    v_reason := 'params';
    v_params := '{}';
  elsif p_params <> '{}' and r.label_level > coalesce((v_source ->> 'paramsUpTo')::integer, 0) then
    v_reason := 'label';
  elsif session_user <> 'castellan_worker_open' and exists (select 1 from jsonb_array_elements(v_source -> 'params') as p(d) where d ? 'form') then
    v_reason := 'worker';
  elsif (select count(*) from source_fetch where source = p_source and state <> 'refused' and asked_at > clock_timestamp() - interval '1 hour') >= (v_source -> 'limits' ->> 'hour')::integer
    or (select count(*) from source_fetch where source = p_source and state <> 'refused' and asked_at > clock_timestamp() - interval '1 day') >= (v_source -> 'limits' ->> 'day')::integer then
    v_reason := 'limit';
  end if;
  insert into source_fetch (id, source, run_id, job, params, state, reason, closed_at, label_level, label_integrity, label_lanes)
  values (p_id, p_source, r.id, r.job, v_params, case when v_reason is null then 'asked' else 'refused' end, v_reason, case when v_reason is not null then clock_timestamp() end,
    r.label_level, r.label_integrity, r.label_lanes);
  if v_reason is not null then
    perform audit_write('source.refused', p_id::text, jsonb_build_object('source', p_source, 'run', r.id, 'job', r.job, 'reason', v_reason), 1::smallint);
  end if;
  return coalesce(v_reason, 'asked');
end $$;

-- What the reader is to fetch: once, and within a minute of being asked. Nothing otherwise.
create function source_take(p_id uuid) returns jsonb
language sql security definer set search_path = castellan, pg_temp as $$
  update source_fetch set state = 'open', opened_at = clock_timestamp()
  where id = p_id and state = 'asked' and asked_at > clock_timestamp() - interval '1 minute'
  returning jsonb_build_object('source', source, 'params', params)
$$;

-- An answer, as the newest for its source and parameters unless there is a newer one. Parameters may come back in it, so it has their label too.
create function source_store(p_id uuid, p_status integer, p_media text, p_body bytea) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare f source_fetch; v_label jsonb; v_key bytea;
begin
  update source_fetch set state = 'fetched', status = p_status, bytes = octet_length(p_body), closed_at = clock_timestamp() where id = p_id and state = 'open' returning * into f;
  if not found then
    raise exception 'the fetch % is not open', p_id using errcode = 'CA409';
  end if;
  v_label := source_declared(f.source) -> 'label';
  if v_label is null then
    raise exception 'there is no source % any more', f.source using errcode = 'CA404';
  end if;
  v_key := sha256(convert_to(f.params::text, 'UTF8'));
  delete from source_snapshot where source = f.source and params_key = v_key and fetched_at <= f.opened_at;
  insert into source_snapshot (source, params_key, params, fetch_id, fetched_at, media, body, label_level, label_integrity, label_lanes)
  values (f.source, v_key, f.params, f.id, f.opened_at, left(p_media, 200), p_body,
    greatest(coalesce((v_label ->> 'level')::smallint, 3), case when f.params = '{}' then 0 else f.label_level end), 'untrusted',
    lanes_join(array(select name from jsonb_array_elements_text(v_label -> 'lanes') as l(name) order by name), case when f.params = '{}' then '{}' else f.label_lanes end))
  on conflict do nothing;
  perform audit_write('source.fetched', f.id::text, jsonb_build_object('source', f.source, 'run', f.run_id, 'job', f.job, 'status', p_status, 'bytes', octet_length(p_body),
    'sha256', encode(sha256(p_body), 'hex'), 'ms', round(extract(epoch from f.closed_at - f.opened_at) * 1000)), 1::smallint);
end $$;

create function source_fail(p_id uuid, p_reason text, p_status integer, p_bytes bigint) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare f source_fetch;
begin
  if p_reason !~ '^[a-z_]{1,30}$' then
    raise exception 'no such reason' using errcode = 'CA400';
  end if;
  update source_fetch set state = 'failed', reason = p_reason, status = p_status, bytes = p_bytes, closed_at = clock_timestamp() where id = p_id and state = 'open' returning * into f;
  if found then
    perform audit_write('source.failed', f.id::text, jsonb_build_object('source', f.source, 'run', f.run_id, 'job', f.job, 'reason', p_reason, 'status', p_status, 'bytes', p_bytes), 1::smallint);
  end if;
end $$;

-- What nobody came for is over; and at a reader's start what the last one left open: there is one at a time, and it asks this first.
create function source_recover(p_open boolean) returns integer
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_count integer;
begin
  update source_connection set outcome = 'lost', closed_at = clock_timestamp() where p_open and closed_at is null;
  with lost as (
    update source_fetch set state = 'failed', reason = 'lost', closed_at = clock_timestamp()
    where closed_at is null and (p_open or state = 'asked' and asked_at < clock_timestamp() - interval '1 minute') returning id, source, run_id
  )
  select count(audit_write('source.failed', id::text, jsonb_build_object('source', source, 'run', run_id, 'reason', 'lost'), 1::smallint)) into v_count from lost;
  return v_count;
end $$;

create function source_connect(p_id uuid, p_fetch uuid, p_host text, p_port integer, p_address text) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
begin
  insert into source_connection (id, fetch_id, host, port, address, label_level, label_integrity, label_lanes)
  select p_id, id, left(p_host, 300), p_port, p_address, label_level, label_integrity, label_lanes from source_fetch where id = p_fetch and state = 'open';
  if not found then
    raise exception 'the fetch % is not open', p_fetch using errcode = 'CA409';
  end if;
end $$;

create function source_disconnect(p_id uuid, p_outcome text, p_up bigint, p_down bigint) returns void
language sql security definer set search_path = castellan, pg_temp as $$
  update source_connection set outcome = left(p_outcome, 30), bytes_up = p_up, bytes_down = p_down, closed_at = clock_timestamp() where id = p_id and closed_at is null
$$;

alter table source_fetch enable row level security;
alter table source_snapshot enable row level security;
alter table source_connection enable row level security;
do $$
declare t text;
begin
  foreach t in array array['source_fetch', 'source_snapshot', 'source_connection'] loop
    execute format('create policy cleared on %I for select to castellan_worker_open using (label_level <= cloud_clearance(label_lanes))', t);
    execute format('create policy everything on %I for select to castellan_worker_private, castellan_server using (true)', t);
  end loop;
end $$;

revoke execute on function source_declared, source_params_fit, source_ask, source_take, source_store, source_fail, source_recover, source_connect, source_disconnect from public;
grant usage on schema castellan to castellan_reader;
grant execute on function source_take, source_store, source_fail, source_recover, source_connect, source_disconnect to castellan_reader;
grant execute on function source_ask to castellan_worker_open, castellan_worker_private;
grant select on source_snapshot to castellan_worker_open, castellan_worker_private;
-- that something was read, and not what
grant select (source, fetch_id, fetched_at, media, label_level, label_integrity, label_lanes) on source_snapshot to castellan_server;
grant select (id, source, run_id, job, state, reason, status, bytes, asked_at, opened_at, closed_at, label_level, label_integrity, label_lanes) on source_fetch to castellan_server;
grant select (id, fetch_id, host, port, address, outcome, bytes_up, bytes_down, opened_at, closed_at, label_level, label_integrity, label_lanes) on source_connection to castellan_server;
