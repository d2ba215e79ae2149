-- Lanes, labels and the audit: what every later table stands on.
-- Roles exist before the first migration; see roles.ts.

create table lane (
  name            text primary key,
  worker          text not null check (worker in ('open', 'private')),
  -- the highest level that may reach a cloud model; -1 means no cloud at all
  cloud_clearance smallint not null check (cloud_clearance between -1 and 2),
  providers       text[] not null default '{}'
);

-- The level that a set of lanes may show to a cloud model: the lowest of them, P1 without a lane, none for a lane that is not declared.
create function cloud_clearance(p_lanes text[]) returns smallint
language sql stable parallel safe as $$
  select case
    when cardinality(p_lanes) = 0 then 1::smallint
    else coalesce((
      select min(coalesce(l.cloud_clearance, -1))
      from unnest(p_lanes) as wanted(name) left join castellan.lane l on l.name = wanted.name
    ), -1)::smallint
  end
$$;

create function lanes_join(p_a text[], p_b text[]) returns text[]
language sql immutable parallel safe as $$
  select coalesce(array_agg(distinct name order by name), '{}') from unnest(p_a || p_b) as lanes(name)
$$;

create function integrity_join(p_a text, p_b text) returns text
language sql immutable parallel safe as $$
  select case when 'untrusted' in (p_a, p_b) then 'untrusted' else 'trusted' end
$$;

-- A label on a row only rises; lowering takes a recorded redaction or a signed act, which make new rows.
create function label_only_rises() returns trigger
language plpgsql as $$
begin
  if new.label_level < old.label_level
     or (old.label_integrity = 'untrusted' and new.label_integrity = 'trusted')
     or not (new.label_lanes @> old.label_lanes) then
    raise exception 'a label never falls: %.% P% -> P%', tg_table_schema, tg_table_name, old.label_level, new.label_level
      using errcode = 'CA001';
  end if;
  return new;
end $$;

-- Which role may append which kind of event by itself; events of the ledger functions are written by those functions.
create table audit_kind (
  role name not null,
  kind text not null,
  primary key (role, kind)
);

create table audit_event (
  id       bigint generated always as identity,
  xid      xid8 not null default pg_current_xact_id(),
  at       timestamptz not null default clock_timestamp(),
  actor    name not null default session_user,
  kind     text not null,
  subject  text not null,
  -- names, states, counts and hashes; never content
  detail   jsonb not null default '{}',
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  primary key (xid, id)
);
-- what is looked for by name; an index over all events would cost every run three entries
create index audit_event_named on audit_event (kind, subject) where kind in ('mail.refused', 'key.enrolled', 'key.revoked', 'signin.locked');

create table audit_seal (
  batch      bigint primary key,
  upto_xid   xid8 not null,
  upto_id    bigint not null,
  events     integer not null check (events > 0),
  previous   bytea not null,
  head       bytea not null,
  signature  bytea not null,
  key_id     text not null,
  sealed_at  timestamptz not null default clock_timestamp()
);

-- plpgsql, like all that runs with every step: its plans are kept for the session.
create function audit_write(p_kind text, p_subject text, p_detail jsonb, p_level smallint default 1) returns void
language plpgsql as $$
begin
  insert into castellan.audit_event (kind, subject, detail, label_level, label_integrity)
  values (p_kind, p_subject, p_detail, p_level, 'trusted');
end $$;

create function audit_append(p_kind text, p_subject text, p_detail jsonb default '{}', p_level smallint default 3) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
begin
  if not exists (select 1 from audit_kind where role = session_user and kind = p_kind) then
    raise exception 'role % may not record %', session_user, p_kind using errcode = '42501';
  end if;
  perform audit_write(p_kind, p_subject, p_detail, p_level);
end $$;

insert into audit_kind (role, kind) values
  ('castellan_server', 'operator.request'), ('castellan_server', 'signin.opened'), ('castellan_server', 'signin.closed'), ('castellan_server', 'signin.locked'),
  ('castellan_gate_local', 'call.refused'), ('castellan_gate_local', 'call.closed'), ('castellan_gate_local', 'redaction'),
  ('castellan_gate_cloud', 'call.refused'), ('castellan_gate_cloud', 'call.closed'),
  ('castellan_releaser', 'draft.frozen'), ('castellan_releaser', 'draft.decided'), ('castellan_releaser', 'draft.undone'),
  ('castellan_releaser', 'draft.expired'), ('castellan_releaser', 'draft.released'), ('castellan_releaser', 'draft.failed'),
  ('castellan_releaser', 'draft.unknown'), ('castellan_releaser', 'draft.refused'), ('castellan_releaser', 'draft.edited'), ('castellan_releaser', 'key.enrolled'),
  ('castellan_releaser', 'key.revoked'), ('castellan_releaser', 'mail.stored'), ('castellan_releaser', 'mail.refused'),
  ('castellan_releaser', 'draft.releasing'), ('castellan_releaser', 'draft.held'), ('castellan_releaser', 'draft.discarded'), ('castellan_releaser', 'nonce.lost'),
  ('castellan_releaser', 'session.opened'), ('castellan_releaser', 'session.ended'), ('castellan_releaser', 'signin.locked');
