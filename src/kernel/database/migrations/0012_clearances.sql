-- What castellan.yaml cannot say by itself: that one provider may see P2 of one lane, and that another machine is the operator's own and may see
-- P3. Each row is an act that he signed. Only the releaser makes one, out of the bytes of a draft that it is releasing; lowering takes no signature.

update lane set cloud_clearance = 1 where cloud_clearance = 2;
alter table lane drop constraint lane_cloud_clearance_check, add constraint lane_cloud_clearance_check check (cloud_clearance between -1 and 1);

create table clearance (
  id          uuid primary key, -- of the draft: one signature grants once
  lane        text,             -- null: a machine of the operator's own, whatever the lane
  upstream    text not null,
  url         text not null,
  level       smallint not null,
  granted_at  timestamptz not null default clock_timestamp(),
  expires_at  timestamptz,
  revoked_at  timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  check (case when lane is null then level = 3 else level = 2 and lane <> 'house' end)
);
create index clearance_live on clearance (upstream, lane) where revoked_at is null;
create index clearance_retained on clearance (retain_until);

-- Might a cloud model of this upstream see that level of these lanes, at that moment? What the lanes say by themselves, or P2 where an act cleared it for
-- each of them. The address that the act names is compared by the gate, which alone knows where it sends.
create function cloud_was_cleared(p_lanes text[], p_upstream text, p_level smallint, p_at timestamptz) returns boolean
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return p_level <= cloud_clearance(p_lanes)
    or (p_level <= 2 and cardinality(p_lanes) > 0 and not exists (
      select 1 from unnest(p_lanes) as n where not exists (
        select 1 from lane l join clearance c on c.lane = l.name
        where l.name = n and l.cloud_clearance >= 0 and c.upstream = p_upstream and c.granted_at <= p_at
          and (c.expires_at is null or c.expires_at > p_at) and (c.revoked_at is null or c.revoked_at > p_at))));
end $$;

-- May it now? No act counts of which this database may not know that it was taken back.
create function cloud_cleared(p_lanes text[], p_upstream text, p_level smallint) returns boolean
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return p_level <= cloud_clearance(p_lanes) or (acts_wait() is null and cloud_was_cleared(p_lanes, p_upstream, p_level, clock_timestamp()));
end $$;

-- Has the operator signed that this machine is his own?
create function machine_owned(p_upstream text) returns boolean
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return acts_wait() is null and exists (select 1 from clearance where lane is null and upstream = p_upstream and revoked_at is null
    and (expires_at is null or expires_at > clock_timestamp()));
end $$;

-- All that is cleared now, as [lane, upstream, url].
create function clearances_now() returns jsonb
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return (select coalesce(jsonb_agg(distinct jsonb_build_array(lane, upstream, url)), '[]') from clearance
    where revoked_at is null and (expires_at is null or expires_at > clock_timestamp()) and acts_wait() is null);
end $$;

-- It is part of what a session is: a call is opened only while the same is cleared as when it was planned.
alter function session_find(bytea) rename to session_of_key;
revoke execute on function session_of_key from castellan_gate_local, castellan_gate_cloud;
create function session_find(p_key_hash bytea) returns jsonb
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return session_of_key(p_key_hash) || jsonb_build_object('clearances', clearances_now());
end $$;

drop policy cloud_calls_open on model_call;
create policy cloud_calls_open on model_call for insert to castellan_gate_cloud
  with check (gate = 'cloud' and (state = 'refused' or cloud_cleared(label_lanes, upstream, label_level)));
create policy near_enough on model_call as restrictive for insert to castellan_gate_local
  with check (state = 'refused' or label_level <= 2 or zone = 'machine' or machine_owned(upstream));

-- An act of the operator himself has no run; and no run can propose one.
alter table proposal alter column run_id drop not null,
  add constraint proposal_of_one check ((run_id is null) = (kind in ('lane.clear', 'model.own')));
create function operator_propose(p_id uuid, p_kind text, p_connector text, p_payload jsonb) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
begin
  insert into proposal (id, run_id, step_id, item_key, kind, connector, payload, label_level, label_integrity)
  values (p_id, null, 'operator', p_id::text, p_kind, p_connector, p_payload, 1, 'trusted');
  perform audit_write('proposal.opened', p_id::text, jsonb_build_object('kind', p_kind, 'connector', p_connector,
    'payload', encode(sha256(convert_to(p_payload::text, 'UTF8')), 'hex')), 1::smallint);
end $$;

-- Grants what the bytes of this draft say, while it is being released. Raises 42501 for any other draft, CA409 when it has granted before.
create function clearance_grant(p_draft uuid) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare d draft; v_act jsonb;
begin
  select * into d from draft where id = p_draft;
  if not found or d.state <> 'releasing' or d.kind not in ('lane.clear', 'model.own')
     or not exists (select 1 from decision where draft_id = p_draft and verdict = 'approve')
     or d.document::jsonb -> 'wire' ->> 'sha256' is distinct from encode(sha256(d.wire), 'hex') then
    raise exception 'draft % clears nothing', p_draft using errcode = '42501';
  end if;
  v_act := convert_from(d.wire, 'UTF8')::jsonb;
  if v_act ->> 'act' is distinct from d.kind or (v_act ->> 'lane' is null) <> (d.kind = 'model.own') then
    raise exception 'draft % clears nothing', p_draft using errcode = '42501';
  end if;
  insert into clearance (id, lane, upstream, url, level, expires_at, label_level, label_integrity)
  values (p_draft, v_act ->> 'lane', v_act ->> 'upstream', v_act ->> 'url', (v_act ->> 'level')::smallint, (v_act ->> 'expires_at')::timestamptz, 1, 'trusted')
  on conflict (id) do nothing;
  if not found then
    raise exception 'draft % was granted before', p_draft using errcode = 'CA409';
  end if;
  perform audit_write('clearance.granted', p_draft::text, v_act - 'version' - 'shown', 1::smallint);
end $$;

-- Takes back what is cleared for this upstream: of that lane, or without a lane that it is one's own machine. Returns which were.
create function clearance_revoke(p_lane text, p_upstream text) returns uuid[]
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_ids uuid[];
begin
  with revoked as (
    update clearance set revoked_at = clock_timestamp()
    where lane is not distinct from p_lane and upstream = p_upstream and revoked_at is null and (expires_at is null or expires_at > clock_timestamp()) returning id
  ) select coalesce(array_agg(id order by id), '{}') into v_ids from revoked;
  if cardinality(v_ids) > 0 then
    perform audit_write('clearance.revoked', p_upstream, jsonb_build_object('lane', p_lane, 'upstream', p_upstream, 'count', cardinality(v_ids)), 1::smallint);
  end if;
  return v_ids;
end $$;

-- A key may be named as one whose time is over.
create or replace function client_key_make(p_id uuid, p_name text, p_hash bytea, p_gate text, p_lane text, p_max smallint, p_models text[], p_expires timestamptz) returns void
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
  end if;
  update client_key set revoked_at = expires_at where name = p_name and revoked_at is null and expires_at <= clock_timestamp();
  if exists (select 1 from client_key where name = p_name and revoked_at is null) then
    raise exception 'there is a key %', p_name using errcode = 'CA409';
  end if;
  insert into client_key (id, name, key_hash, gate, lane, max_level, models, expires_at, label_level, label_integrity, label_lanes)
  values (p_id, p_name, p_hash, p_gate, p_lane, p_max, p_models, p_expires, 1, 'trusted', array[p_lane]);
  perform audit_write('client_key.made', p_id::text, jsonb_build_object('name', p_name, 'gate', p_gate, 'lane', p_lane, 'max_level', p_max, 'models', p_models, 'expires_at', p_expires), 1::smallint);
end $$;

revoke execute on function cloud_was_cleared, cloud_cleared, machine_owned, clearances_now, session_of_key, session_find, operator_propose, clearance_grant, clearance_revoke from public;
grant execute on function session_find to castellan_gate_local, castellan_gate_cloud;
grant execute on function cloud_cleared to castellan_gate_cloud;
grant execute on function cloud_was_cleared to castellan_server;
grant execute on function machine_owned to castellan_gate_local;
grant execute on function operator_propose, clearance_grant, clearance_revoke to castellan_releaser;
alter table clearance enable row level security;
create policy everything on clearance for select to castellan_releaser, castellan_server using (true);
grant select on clearance to castellan_releaser, castellan_server;
