-- Sessions of the gates and the ledger of model calls.

create table session (
  id         uuid primary key,
  key_hash   bytea not null unique,
  run_id     uuid not null references run,
  fence      uuid not null,
  issued_at  timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null default clock_timestamp() + interval '1 hour'
);
create index session_run on session (run_id);

-- The key of the run that this fence is in. Its lane and label are the run's; nobody chooses them.
create function session_open(p_run uuid, p_fence uuid) returns text
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_key text := 'cst_' || replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
begin
  perform 1 from run where id = p_run and fence = p_fence;
  if not found then
    raise exception 'run % is held by another executor', p_run using errcode = 'CA409';
  end if;
  insert into session (id, key_hash, run_id, fence) values (gen_random_uuid(), sha256(convert_to(v_key, 'UTF8')), p_run, p_fence);
  return v_key;
end $$;

-- Whose key is this, and what is its label now? Nothing once the run is closed, taken over, or the hour is up.
-- plpgsql, as it runs with every call: its plans are kept for the session.
create function session_find(p_key_hash bytea) returns jsonb
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return (select jsonb_build_object('id', s.id, 'run', r.id, 'job', r.job, 'lane', r.lane, 'worker', l.worker,
    'label', jsonb_build_object('level', r.label_level, 'integrity', r.label_integrity, 'lanes', r.label_lanes),
    'cloud_clearance', cloud_clearance(r.label_lanes),
    -- the providers every lane of the label names; null says that no lane restricts them
    'lanes', (select jsonb_agg(jsonb_build_object('name', n, 'providers', x.providers)) from unnest(r.label_lanes) as n left join lane x on x.name = n))
  from session s join run r on r.id = s.run_id and r.fence = s.fence join lane l on l.name = r.lane
  where s.key_hash = p_key_hash and s.expires_at > clock_timestamp());
end $$;

create table model_call (
  id          uuid primary key,
  session_id  uuid not null references session,
  run_id      uuid not null references run,
  gate        text not null check (gate in ('local', 'cloud')),
  task        text not null,
  upstream    text,
  model       text,
  zone        text,
  state       text not null default 'open' check (state in ('open', 'succeeded', 'failed', 'refused', 'abandoned')),
  reason      text,
  input_tokens  integer,
  output_tokens integer,
  cost_eur    numeric(12, 6), -- null: nobody knows the price
  opened_at   timestamptz not null default clock_timestamp(),
  closed_at   timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);
create index model_call_opened on model_call (opened_at);
create index model_call_run on model_call (run_id);
create index model_call_session on model_call (session_id);
create index model_call_retained on model_call (retain_until);

create function model_call_closes_once() returns trigger
language plpgsql as $$
begin
  if old.state <> 'open' then
    raise exception 'model call % is closed', old.id using errcode = 'CA003';
  end if;
  return new;
end $$;
create trigger model_call_close before update of state, reason, input_tokens, output_tokens, cost_eur, closed_at on model_call for each row execute function model_call_closes_once();
