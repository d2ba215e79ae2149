-- Redacted text that gate local hands on to gate cloud, one level lower. What allows it is here, not in the gates: the record is made
-- for a session that lives, in lanes that allow it, never from P3; it is good for one call, one body, and a short time.

alter table lane add column redacts boolean not null default false;

create table declassification (
  id           uuid primary key,
  session_id   uuid not null,
  run_id       uuid not null,
  redactor     text not null,
  input_hash   bytea not null check (octet_length(input_hash) = 32),
  output_hash  bytea not null check (octet_length(output_hash) = 32),
  from_level   smallint not null check (from_level between 1 and 2),
  to_level     smallint not null check (to_level = from_level - 1),
  kinds        jsonb not null, -- how many spans of each kind were taken out; never what they said
  made_at      timestamptz not null default clock_timestamp(),
  used_at      timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);
create index declassification_run on declassification (run_id);
create index declassification_retained on declassification (retain_until);

-- May text with this label be redacted and then shown to a cloud model?
create function may_redact(p_level smallint, p_lanes text[]) returns boolean
language sql stable parallel safe as $$
  select p_level between 1 and 2 and cardinality(p_lanes) > 0 and p_level - 1 <= castellan.cloud_clearance(p_lanes)
    and (select bool_and(coalesce(l.redacts, false)) from unnest(p_lanes) as n left join castellan.lane l on l.name = n)
$$;

-- Records that a body of this session was redacted. p_level is the level that the call carries, the run's or a higher one. Returns
-- the level of what was left; raises 42501 where lane or label forbid it.
create function declassify(p_id uuid, p_key_hash bytea, p_redactor text, p_input_hash bytea, p_output_hash bytea, p_level smallint, p_kinds jsonb, p_keep interval)
returns smallint
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_session jsonb := session_find(p_key_hash); v_level smallint; v_lanes text[];
begin
  -- a client's own key belongs to one gate
  if v_session ->> 'run' is null then
    raise exception 'this key opens no run' using errcode = '42501';
  end if;
  v_level := greatest(p_level, (v_session -> 'label' ->> 'level')::smallint);
  v_lanes := array(select jsonb_array_elements_text(v_session -> 'label' -> 'lanes'));
  if may_redact(v_level, v_lanes) is not true then
    raise exception 'P% of lanes % is not redacted down', v_level, v_lanes using errcode = '42501';
  end if;
  insert into declassification (id, session_id, run_id, redactor, input_hash, output_hash, from_level, to_level, kinds, label_level, label_integrity, label_lanes, retain_until)
  values (p_id, (v_session ->> 'id')::uuid, (v_session ->> 'run')::uuid, p_redactor, p_input_hash, p_output_hash, v_level, v_level - 1, p_kinds,
    v_level - 1, v_session -> 'label' ->> 'integrity', v_lanes, clock_timestamp() + p_keep);
  perform audit_write('redaction', p_id::text, jsonb_build_object('run', v_session ->> 'run', 'redactor', p_redactor, 'from', v_level, 'to', v_level - 1,
    'kinds', p_kinds, 'output', encode(p_output_hash, 'hex')), 1::smallint);
  return v_level - 1;
end $$;

-- The level of a redacted body, once, for the session and the bytes that it was recorded for, and while lane and label still allow it;
-- null for everything else.
create function declassification_use(p_id uuid, p_key_hash bytea, p_output_hash bytea) returns smallint
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_session jsonb := session_find(p_key_hash); v_to smallint;
begin
  update declassification d set used_at = clock_timestamp()
  where d.id = p_id and d.used_at is null and d.output_hash = p_output_hash and d.made_at > clock_timestamp() - interval '5 minutes'
    and d.session_id = (v_session ->> 'id')::uuid
    and d.from_level >= (v_session -> 'label' ->> 'level')::smallint
    and may_redact(d.from_level, array(select jsonb_array_elements_text(v_session -> 'label' -> 'lanes')))
  returning d.to_level into v_to;
  return v_to;
end $$;

revoke execute on function may_redact, declassify, declassification_use from public;
grant execute on function declassify to castellan_gate_local;
grant execute on function declassification_use to castellan_gate_cloud;
grant select on declassification to castellan_server;
alter table declassification enable row level security;
create policy everything on declassification for select to castellan_server using (true);
