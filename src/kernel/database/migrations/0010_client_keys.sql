-- Keys by which programs outside the house ask a gate. The releaser makes them, for it alone is told what the operator wants: whoever holds
-- the role of the server or a worker could otherwise make himself a key with a label of his choice.

create table client_key (
  id          uuid primary key,
  name        text not null check (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
  key_hash    bytea not null unique check (octet_length(key_hash) = 32),
  gate        text not null check (gate in ('local', 'cloud')),
  lane        text not null references lane,
  max_level   smallint not null check (max_level between 0 and 3),
  models      text[] not null default '{}', -- upstream/model with *; none: all that label and lane allow
  made_at     timestamptz not null default clock_timestamp(),
  expires_at  timestamptz,
  revoked_at  timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);
create unique index client_key_named on client_key (name) where revoked_at is null;
create index client_key_retained on client_key (retain_until);

-- Makes a key; the caller knows it, the database its SHA-256. For gate cloud only what a cloud model may see of that lane. Raises CA409 where
-- the name is taken, CA400 where lane or level will not do, CA423 while no key counts.
create function client_key_make(p_id uuid, p_name text, p_hash bytea, p_gate text, p_lane text, p_max smallint, p_models text[], p_expires timestamptz) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_lane lane;
begin
  if acts_wait() is not null then
    raise exception 'no key counts now: %', acts_wait() using errcode = 'CA423';
  end if;
  select * into v_lane from lane where name = p_lane;
  if not found then
    raise exception 'there is no lane %', p_lane using errcode = 'CA400';
  elsif p_gate = 'cloud' and (v_lane.worker <> 'open' or p_max > v_lane.cloud_clearance) then
    raise exception 'lane % shows cloud models no P%', p_lane, p_max using errcode = 'CA400';
  elsif exists (select 1 from client_key where name = p_name and revoked_at is null) then
    raise exception 'there is a key %', p_name using errcode = 'CA409';
  end if;
  insert into client_key (id, name, key_hash, gate, lane, max_level, models, expires_at, label_level, label_integrity, label_lanes)
  values (p_id, p_name, p_hash, p_gate, p_lane, p_max, p_models, p_expires, 1, 'trusted', array[p_lane]);
  perform audit_write('client_key.made', p_id::text, jsonb_build_object('name', p_name, 'gate', p_gate, 'lane', p_lane, 'max_level', p_max, 'models', p_models, 'expires_at', p_expires), 1::smallint);
end $$;

-- Which one it was; nothing: there is no such key that is still good.
create function client_key_revoke(p_name text) returns uuid
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_id uuid;
begin
  update client_key set revoked_at = clock_timestamp() where name = p_name and revoked_at is null returning id into v_id;
  if v_id is not null then
    perform audit_write('client_key.revoked', v_id::text, jsonb_build_object('name', p_name), 1::smallint);
  end if;
  return v_id;
end $$;

-- A key of a run, or of a client: that one has no run, and carries what a stranger's program may carry unless it says more.
alter function session_find(bytea) rename to session_of_run;
revoke execute on function session_of_run from castellan_gate_local, castellan_gate_cloud;
create function session_find(p_key_hash bytea) returns jsonb
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
declare v_found jsonb := session_of_run(p_key_hash);
begin
  if v_found is not null then
    return v_found;
  end if;
  return (select jsonb_build_object('id', k.id, 'run', null, 'job', null, 'lane', k.lane, 'worker', l.worker,
    'label', jsonb_build_object('level', least(k.max_level, case k.gate when 'cloud' then 1 else 2 end), 'integrity', 'untrusted', 'lanes', array[k.lane]),
    'cloud_clearance', l.cloud_clearance, 'lanes', jsonb_build_array(jsonb_build_object('name', l.name, 'providers', l.providers)),
    'client', jsonb_build_object('name', k.name, 'max_level', k.max_level, 'models', k.models))
  from client_key k join lane l on l.name = k.lane
  where k.key_hash = p_key_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
    and session_user = 'castellan_gate_' || k.gate and acts_wait() is null);
end $$;

-- Why a key of this gate that was not revoked, as far as this database knows, opens nothing: it may have been revoked after the copy that this database is.
create function key_waits(p_key_hash bytea) returns text
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return (select acts_wait() from client_key k where k.key_hash = p_key_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
    and session_user = 'castellan_gate_' || k.gate);
end $$;

alter table model_call alter column session_id drop not null, alter column run_id drop not null,
  add column key_id uuid references client_key,
  add constraint model_call_of_one check (case when key_id is null then session_id is not null and run_id is not null else session_id is null and run_id is null end);
create index model_call_key on model_call (key_id) where key_id is not null;

-- May a call by this key carry this label? Not less than a client of its gate carries at least, not more than the key is good for; and only while
-- the key is good.
create function key_covers(p_key uuid, p_gate text, p_level smallint, p_lanes text[]) returns boolean
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return exists (select 1 from client_key k where k.id = p_key and k.gate = p_gate and p_lanes @> array[k.lane]
    and p_level between least(k.max_level, case k.gate when 'cloud' then 1 else 2 end) and k.max_level
    and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp()) and acts_wait() is null);
end $$;
create policy within_key on model_call as restrictive for insert to castellan_gate_local, castellan_gate_cloud
  with check (key_id is null or state = 'refused' or key_covers(key_id, gate, label_level, label_lanes));

revoke execute on function client_key_make, client_key_revoke, key_covers, key_waits, session_find, session_of_run from public;
grant execute on function client_key_make, client_key_revoke to castellan_releaser;
grant execute on function session_find, key_covers, key_waits to castellan_gate_local, castellan_gate_cloud;
grant select (id, name, gate, lane, max_level, models, made_at, expires_at, revoked_at) on client_key to castellan_releaser, castellan_server;
-- when a key was used last; nothing of what it asked
grant select (key_id, opened_at) on model_call to castellan_releaser;
