-- Standing orders: one signature for many small acts of one kind. Each row is an act that the operator signed by passkey, with all that proves it, since a
-- draft is swept while its order still stands. Only the releaser makes one, out of the bytes of a draft that it is releasing; taking back takes no signature.

create table standing_order (
  id          uuid primary key, -- of the draft: one signature makes one order
  name        text not null check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  kind        text not null check (kind in ('mail.move', 'mail.flag', 'files.move', 'telegram.message')),
  connector   text not null,
  account     text not null,
  per_day     smallint not null check (per_day between 1 and 1000),
  timezone    text not null,
  level       smallint not null check (level between 0 and 2),
  document    text not null,
  wire        bytea not null,
  key_id      text not null check (key_id like 'passkey:%'),
  assertion   jsonb not null,
  decided_at  timestamptz not null,
  granted_at  timestamptz not null,
  expires_at  timestamptz,
  revoked_at  timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  unique (id, per_day),
  -- what tells the operator himself something may stand without end; nothing else may
  check (expires_at is not null or kind = 'telegram.message')
);
create unique index standing_order_name on standing_order (name) where revoked_at is null;
create index standing_order_for on standing_order (kind, connector) where revoked_at is null;

-- One act that an order approved: the n-th of its day. No row can say more than the order was signed for, and none can be taken away.
create table order_use (
  draft_id uuid primary key references draft,
  order_id uuid not null,
  day      date not null,
  n        smallint not null,
  per_day  smallint not null,
  used_at  timestamptz not null,
  unique (order_id, day, n),
  unique (draft_id, order_id),
  foreign key (order_id, per_day) references standing_order (id, per_day),
  check (n between 1 and per_day)
);

-- An approval is a signature, or names the order whose use it is.
alter table decision
  drop constraint decision_check, drop constraint decision_check1, drop constraint decision_check2,
  add column order_id uuid,
  add constraint decision_proof check (num_nonnulls(signature, assertion, order_id) = (verdict = 'approve')::int),
  add constraint decision_key check (verdict <> 'approve' or num_nonnulls(key_id, order_id) = 1),
  add constraint decision_passkey check ((key_id like 'passkey:%') = (assertion is not null)),
  add constraint decision_order foreign key (draft_id, order_id) references order_use (draft_id, order_id);

-- A run may propose an order, as any draft; what clears a provider it may not.
alter table proposal drop constraint proposal_of_one,
  add constraint proposal_of_one check (kind = 'order.stand' or (run_id is null) = (kind in ('lane.clear', 'model.own', 'outbox.resume')));

-- Makes an order of what the bytes of this draft say, while it is being released. Raises 42501 for any other draft, CA409 when it was made before
-- or another of that name stands.
create function order_grant(p_draft uuid, p_at timestamptz) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare d draft; a decision; v_act jsonb;
begin
  select * into d from draft where id = p_draft;
  select * into a from decision where draft_id = p_draft and verdict = 'approve';
  if d.state is distinct from 'releasing' or d.kind <> 'order.stand' or a.assertion is null
     or d.document::jsonb -> 'wire' ->> 'sha256' is distinct from encode(sha256(d.wire), 'hex') then
    raise exception 'draft % makes no order', p_draft using errcode = '42501';
  end if;
  v_act := convert_from(d.wire, 'UTF8')::jsonb;
  if v_act ->> 'kind' is distinct from 'order.stand' then
    raise exception 'draft % makes no order', p_draft using errcode = '42501';
  end if;
  update standing_order set revoked_at = expires_at where name = v_act ->> 'name' and revoked_at is null and expires_at <= p_at;
  insert into standing_order (id, name, kind, connector, account, per_day, timezone, level, document, wire, key_id, assertion, decided_at, granted_at, expires_at,
    label_level, label_integrity, label_lanes)
  values (p_draft, v_act ->> 'name', v_act -> 'covers' ->> 'kind', v_act -> 'covers' ->> 'connector', v_act -> 'covers' ->> 'account', (v_act ->> 'per_day')::smallint,
    v_act ->> 'timezone', (v_act ->> 'level')::smallint, d.document, d.wire, a.key_id, a.assertion, a.decided_at, p_at, (v_act ->> 'expires_at')::timestamptz,
    d.label_level, d.label_integrity, d.label_lanes)
  on conflict do nothing;
  if not found then
    raise exception 'draft % was made an order before, or another order % stands', p_draft, v_act ->> 'name' using errcode = 'CA409';
  end if;
  perform audit_write('order.granted', p_draft::text, v_act - 'version' - 'draft' - 'scope', 1::smallint);
end $$;

-- Takes back the order of that name. Returns its id, or nothing when none stands.
create function order_revoke(p_name text, p_at timestamptz) returns uuid
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_id uuid;
begin
  update standing_order set revoked_at = p_at where name = p_name and revoked_at is null returning id into v_id;
  if v_id is not null then
    perform audit_write('order.revoked', v_id::text, jsonb_build_object('name', p_name), 1::smallint);
  end if;
  return v_id;
end $$;

-- One more use of an order, for this draft: {day, n}, or nothing when the count of the day is used up, the order is over or may be, or it is not for such a draft.
-- The day is counted in the zone that was signed. It never goes back, so that a clock that was set wrong refills nothing; nor does it fall behind what the
-- releaser's file knows (p_file_day, p_file_n), so that an older copy of this database refills nothing either.
create function order_take(p_order uuid, p_draft uuid, p_at timestamptz, p_file_day date, p_file_n smallint) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare o standing_order; d draft; v_day date; v_n smallint;
begin
  select * into o from standing_order where id = p_order for no key update;
  select * into d from draft where id = p_draft;
  if o.id is null or acts_wait() is not null or o.revoked_at is not null or o.expires_at <= p_at or d.state is distinct from 'waiting' or d.expires_at <= p_at
     or (d.kind, d.connector, d.account) is distinct from (o.kind, o.connector, o.account) or d.risk >= 7 or d.label_level > o.level then
    return null;
  end if;
  v_day := greatest((p_at at time zone o.timezone)::date, p_file_day, (select max(day) from order_use where order_id = p_order));
  v_n := greatest((select max(n) from order_use where order_id = p_order and day = v_day), case when p_file_day = v_day then p_file_n end, 0) + 1;
  if v_n > o.per_day then
    return null;
  end if;
  insert into order_use (draft_id, order_id, day, n, per_day, used_at) values (p_draft, p_order, v_day, v_n, o.per_day, p_at);
  return jsonb_build_object('day', v_day, 'n', v_n);
end $$;

-- All that counts once nothing stands in its way: {clearances, keys, orders}, each a list of objects with an id; a clearance without a lane is a machine of
-- the operator's own. p_at: by the clock of the releaser, by which its orders end.
create function acts_in_force(p_at timestamptz) returns jsonb
language sql stable security definer set search_path = castellan, pg_temp as $$
  select jsonb_build_object(
    'clearances', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'lane', lane, 'upstream', upstream, 'url', url, 'level', level, 'since', granted_at, 'until', expires_at)
        order by lane nulls last, upstream, granted_at, id), '[]')
      from clearance where revoked_at is null and (expires_at is null or expires_at > clock_timestamp())),
    'keys', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'gate', gate, 'lane', lane, 'level', max_level, 'since', made_at, 'until', expires_at) order by name), '[]')
      from client_key where revoked_at is null and (expires_at is null or expires_at > clock_timestamp())),
    'orders', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'kind', kind, 'connector', connector, 'per_day', per_day, 'since', granted_at, 'until', expires_at) order by name), '[]')
      from standing_order where revoked_at is null and (expires_at is null or expires_at > p_at)))
$$;

-- Of these clearances, keys and orders those of which this database knows that they were taken back.
create function acts_taken_back(p_ids uuid[]) returns setof uuid
language sql stable security definer set search_path = castellan, pg_temp as $$
  select id from clearance where id = any (p_ids) and revoked_at is not null
  union all select id from client_key where id = any (p_ids) and revoked_at is not null
  union all select id from standing_order where id = any (p_ids) and revoked_at is not null
$$;

-- Takes back again what the releaser's file knows to have been taken back, in a database that does not. Returns how much that was.
create function acts_take_back_again(p_ids uuid[], p_at timestamptz) returns integer
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_kind text; v_ids uuid[]; v_id uuid; v_count integer := 0;
begin
  foreach v_kind in array array['clearance', 'client_key', 'standing_order'] loop
    execute format('with revoked as (update %I set revoked_at = $2 where id = any ($1) and revoked_at is null returning id) select coalesce(array_agg(id), ''{}'') from revoked', v_kind)
      into v_ids using p_ids, p_at;
    foreach v_id in array v_ids loop
      perform audit_write(case v_kind when 'standing_order' then 'order' else v_kind end || '.revoked', v_id::text, jsonb_build_object('again', true), 1::smallint);
    end loop;
    v_count := v_count + cardinality(v_ids);
  end loop;
  return v_count;
end $$;

create function outbox_fence(p_id uuid, p_at timestamptz, p_reason text) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
begin
  update releaser_state set fence_id = p_id, fenced_at = p_at, fence_reason = p_reason where fence_id is null;
  if found then
    perform audit_write('outbox.fenced', p_id::text, jsonb_build_object('reason', p_reason), 1::smallint);
  end if;
end $$;

-- Lifts the fence that the bytes of this draft name, while it is being released with a signature. Raises 42501 for any other draft, CA409 when another fence stands.
create function outbox_resume(p_draft uuid) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare d draft; v_act jsonb;
begin
  select * into d from draft where id = p_draft;
  if d.state is distinct from 'releasing' or d.kind <> 'outbox.resume'
     or not exists (select 1 from decision where draft_id = p_draft and verdict = 'approve' and key_id is not null)
     or d.document::jsonb -> 'wire' ->> 'sha256' is distinct from encode(sha256(d.wire), 'hex') then
    raise exception 'draft % opens nothing', p_draft using errcode = '42501';
  end if;
  v_act := convert_from(d.wire, 'UTF8')::jsonb;
  if v_act ->> 'kind' is distinct from 'outbox.resume' then
    raise exception 'draft % opens nothing', p_draft using errcode = '42501';
  end if;
  if exists (select 1 from jsonb_each(acts_in_force(clock_timestamp())) as now(what, acts), jsonb_array_elements(acts) as act
    where not exists (select 1 from jsonb_array_elements(v_act -> 'again' -> what) as said where said ->> 'id' = act ->> 'id')) then
    raise exception 'more would count again than draft % says', p_draft using errcode = 'CA409';
  end if;
  update releaser_state set fence_id = null, fenced_at = null, fence_reason = null where fence_id::text = v_act ->> 'fence';
  if not found then
    raise exception 'the fence that draft % lifts does not stand', p_draft using errcode = 'CA409';
  end if;
  perform audit_write('outbox.resumed', p_draft::text, v_act - 'version' - 'draft' - 'leaves', 1::smallint);
end $$;

-- Below the releaser: nothing begins to leave while the outbox is fenced, or was not compared yet; nor anything that an order approved which was taken back.
create function draft_may_leave() returns trigger
language plpgsql security definer set search_path = castellan, pg_temp as $$
begin
  if new.kind <> 'outbox.resume' and acts_wait() is not null then
    raise exception 'nothing leaves now: %', acts_wait() using errcode = 'CA423';
  end if;
  if exists (select 1 from decision c join standing_order o on o.id = c.order_id where c.draft_id = new.id and c.verdict = 'approve' and o.revoked_at is not null) then
    raise exception 'the order that approved draft % was taken back', new.id using errcode = 'CA423';
  end if;
  return new;
end $$;
create trigger draft_leaves before update of state on draft for each row when (old.state = 'held' and new.state = 'releasing') execute function draft_may_leave();

-- When it may leave at the earliest, as its document says; what the releaser does not get to change.
alter table draft add column not_before timestamptz,
  add constraint draft_not_before check (hold_until >= not_before);
grant select (not_before) on draft to castellan_server;

revoke execute on function order_grant, order_revoke, order_take, draft_may_leave, outbox_fence, outbox_resume, acts_in_force, acts_taken_back, acts_take_back_again from public;
grant execute on function order_grant, order_revoke, order_take, outbox_fence, outbox_resume, acts_in_force, acts_taken_back, acts_take_back_again to castellan_releaser;
grant execute on function acts_in_force to castellan_server;
grant select (fence_id, fenced_at, fence_reason) on releaser_state to castellan_server;
alter table standing_order enable row level security;
create policy everything on standing_order for select to castellan_releaser, castellan_server using (true);
grant select on standing_order, order_use to castellan_releaser;
-- the server may say that an order stands; what it says is shown by the releaser
grant select (id, name, kind, connector, per_day, timezone, level, granted_at, expires_at, revoked_at, label_level, label_integrity, label_lanes) on standing_order to castellan_server;
grant select on order_use to castellan_server;
