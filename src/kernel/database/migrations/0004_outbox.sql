-- Proposals by workers; drafts, decisions and deliveries by the releaser alone.

create table proposal (
  id         uuid primary key,
  run_id     uuid not null references run,
  step_id    text not null,
  item_key   text not null,
  kind       text not null,
  connector  text not null,
  payload    jsonb not null,
  state      text not null default 'proposed' check (state in ('proposed', 'frozen', 'refused')),
  refusal    text,
  proposed_at timestamptz not null default clock_timestamp(),
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  unique (run_id, step_id, item_key)
);
create index proposal_new on proposal (proposed_at) where state = 'proposed';

create table draft (
  id          uuid primary key,
  proposal_id uuid not null references proposal,
  replaces    uuid unique references draft,
  kind        text not null,
  connector   text not null,
  account     text not null,
  -- the document that is signed, as canonical JSON (RFC 8785) text, and the bytes it names by hash
  document    text not null,
  wire        bytea not null,
  nonce       text not null unique,
  risk        smallint not null check (risk between 1 and 10),
  summary     jsonb not null,
  state       text not null default 'waiting' check (state in
    ('waiting', 'signed', 'held', 'releasing', 'released', 'failed', 'unknown', 'denied', 'expired', 'undone', 'replaced')),
  reason      text,
  frozen_at   timestamptz not null,
  expires_at  timestamptz not null,
  hold_until  timestamptz,
  -- out of the operator's sight until then; it expires as if it were not
  snoozed_until timestamptz check (snoozed_until < expires_at),
  closed_at   timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);
-- one open draft for each proposal
create unique index draft_open on draft (proposal_id) where state in ('waiting', 'signed', 'held', 'releasing');
create index draft_state on draft (state, frozen_at);
-- everything that became of a proposal, the latest first
create index draft_proposal on draft (proposal_id, frozen_at desc, id desc);
-- what was sent to somebody before
create index draft_released_to on draft using gin ((summary -> 'addresses')) where state = 'released';

create function draft_moves() returns trigger
language plpgsql as $$
begin
  if new.state = old.state then
    return new;
  end if;
  if not (old.state, new.state) in (
    ('waiting', 'signed'), ('waiting', 'denied'), ('waiting', 'expired'), ('waiting', 'replaced'), ('waiting', 'unknown'),
    ('signed', 'held'), ('signed', 'expired'), ('signed', 'undone'), ('signed', 'unknown'),
    ('held', 'releasing'), ('held', 'undone'), ('held', 'failed'), ('held', 'unknown'),
    ('releasing', 'released'), ('releasing', 'failed'), ('releasing', 'unknown'), ('releasing', 'held'),
    ('unknown', 'released'), ('unknown', 'failed')) then
    raise exception 'a draft does not go from % to %', old.state, new.state using errcode = 'CA002';
  end if;
  return new;
end $$;
create trigger draft_state_moves before update of state on draft for each row execute function draft_moves();

create table decision (
  id         uuid primary key,
  draft_id   uuid not null references draft,
  verdict    text not null check (verdict in ('approve', 'deny', 'undo')),
  key_id     text,
  signature  bytea,
  -- of a passkey: the whole answer of the browser, so that it can be verified again
  assertion  jsonb,
  reason     text,
  decided_at timestamptz not null,
  check (num_nonnulls(signature, assertion) = (verdict = 'approve')::int),
  check (verdict <> 'approve' or key_id is not null),
  check ((key_id like 'passkey:%') = (assertion is not null))
);
create unique index decision_once on decision (draft_id) where verdict in ('approve', 'deny');

create table delivery (
  id         uuid primary key,
  draft_id   uuid not null unique references draft,
  nonce      text not null unique,
  state      text not null default 'attempting' check (state in ('attempting', 'delivered', 'failed', 'unknown')),
  -- that ended with nothing sent
  tries      smallint not null default 0 check (tries between 0 and 9),
  -- a try ended in a failure of the other side, which takes a second one for the first
  may_have_left boolean not null default false,
  receipt    jsonb,
  started_at timestamptz not null,
  closed_at  timestamptz,
  -- of what was sent, a copy in the mailbox of the sender; null where none is wanted
  sent_copy        text check (sent_copy in ('waiting', 'filed', 'present', 'failed')),
  sent_copy_tries  smallint not null default 0 check (sent_copy_tries between 0 and 9),
  sent_copy_at     timestamptz,
  sent_copy_reason text,
  -- since when nothing stands outside any more that a try made ready and that will not be carried out
  discarded_at     timestamptz,
  check (sent_copy is null or state = 'delivered')
);
-- What may have arrived is never again said not to have left: only the operator, who looked, ends as failed what nobody knew.
create function delivery_moves() returns trigger
language plpgsql as $$
begin
  if old.may_have_left and not new.may_have_left or old.may_have_left and old.state = 'attempting' and new.state = 'failed' then
    raise exception 'delivery % may have left', old.id using errcode = 'CA002';
  end if;
  return new;
end $$;
create trigger delivery_stays_open before update of state, may_have_left on delivery for each row execute function delivery_moves();
create index delivery_sent_copy on delivery (sent_copy_at) where sent_copy = 'waiting';
create index delivery_not_discarded on delivery (draft_id) where discarded_at is null and state in ('failed', 'unknown');

create table releaser_state (
  one          boolean primary key default true check (one),
  -- How many nonces the releaser's file held when this database last knew: a file that holds fewer is missing or older.
  spent_nonces bigint not null default 0,
  -- What was signed stands still when this database is older than that file, until the operator signs that it goes on.
  fence_id     uuid,
  fenced_at    timestamptz,
  fence_reason text,
  -- The start of PostgreSQL since which the releaser has compared the two. A copy that is put back says another.
  compared_for timestamptz,
  constraint releaser_fence check (num_nonnulls(fence_id, fenced_at, fence_reason) in (0, 3))
);
insert into releaser_state default values;

-- Why nothing counts that the operator has signed or given away and may have taken back since: 'fenced', 'not_compared'; or nothing, and it does.
create function acts_wait() returns text
language plpgsql stable security definer set search_path = castellan, pg_temp as $$
begin
  return (select case when s.fence_id is not null then 'fenced' when s.compared_for is distinct from pg_postmaster_start_time() then 'not_compared' end
    from (values (true)) as always(one) left join releaser_state s using (one));
end $$;

-- The releaser has compared this database with its file, and a fence stands where it is older.
create function outbox_compared() returns void
language sql security definer set search_path = castellan, pg_temp as $$
  update releaser_state set compared_for = pg_postmaster_start_time()
$$;

-- A worker proposes; a second call for the same item returns the first proposal, whatever it carries.
create function proposal_open(p_id uuid, p_run uuid, p_fence uuid, p_step text, p_item text, p_kind text, p_connector text, p_payload jsonb) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run; p proposal;
begin
  select * into r from run where id = p_run and fence = p_fence for share;
  if not found or not exists (select 1 from step where run_id = p_run and id = p_step and state = 'started') then
    raise exception 'run % is held by another executor', p_run using errcode = 'CA409';
  end if;
  insert into proposal (id, run_id, step_id, item_key, kind, connector, payload, label_level, label_integrity, label_lanes)
  values (p_id, p_run, p_step, p_item, p_kind, p_connector, p_payload, r.label_level, r.label_integrity, r.label_lanes)
  on conflict (run_id, step_id, item_key) do nothing returning * into p;
  if found then
    perform audit_write('proposal.opened', p.id::text, jsonb_build_object('run', p_run, 'step', p_step, 'kind', p_kind, 'connector', p_connector,
      'payload', encode(sha256(convert_to(p_payload::text, 'UTF8')), 'hex')));
    return jsonb_build_object('id', p.id, 'fresh', true);
  end if;
  return jsonb_build_object('id', (select id from proposal where run_id = p_run and step_id = p_step and item_key = p_item), 'fresh', false);
end $$;

-- What a proposing run may know of its proposals: their states, nothing else.
create function proposal_states(p_ids uuid[]) returns table (id uuid, state text)
language sql stable security definer set search_path = castellan, pg_temp as $$
  -- of its drafts the one that no other took the place of, whatever clock they were frozen by
  select p.id, coalesce((select d.state from draft d where d.proposal_id = p.id and not exists (select 1 from draft where replaces = d.id)
    order by d.frozen_at desc, d.id desc limit 1), p.state)
  from proposal p where p.id = any (p_ids) and may_execute(coalesce(p.label_lanes[1], 'none'), p.label_level, p.label_lanes)
$$;

-- A decision lets the run go on that waits for it; one that is just executing is told, so that it does not park past it.
-- Returns the run that was enqueued and its queue, or nothing.
create function run_wake(p_proposal uuid) returns setof jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run;
begin
  select * into r from run where id = (select run_id from proposal where id = p_proposal) for no key update;
  if r.state in ('queued', 'running') then
    update run set woken = true where id = r.id;
  elsif r.state = 'parked' then
    return next run_requeue(r, queue_of(r.lane, r.label_level, r.label_lanes), 0) || jsonb_build_object('run', r.id);
  end if;
end $$;
