-- What model calls cost, and the ceilings that hold it. Amounts in EUR with nine decimals.

alter table model_call
  add column cost_usd           numeric(16, 9), -- null: nobody knows the price
  add column cached_tokens      integer,
  add column cache_write_tokens integer,
  add column reasoning_tokens   integer,
  add column block_id           uuid;
create index model_call_block on model_call (block_id) where block_id is not null;
drop trigger model_call_close on model_call;
alter table model_call alter column cost_eur type numeric(16, 9);
create trigger model_call_close
  before update of state, reason, input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, cost_eur, cost_usd, closed_at on model_call
  for each row execute function model_call_closes_once();
grant update (cost_usd, cached_tokens, cache_write_tokens, reasoning_tokens) on model_call to castellan_gate_local, castellan_gate_cloud;

-- The rate with which the first call of a day was reckoned is that day's.
create table exchange_rate (
  day         date primary key,
  eur_per_usd numeric(12, 6) not null check (eur_per_usd > 0),
  recorded_at timestamptz not null default clock_timestamp(),
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);

-- What counts against one ceiling in one period: all that was settled, and the whole of every block that is open.
create table budget_account (
  ceiling    text not null,
  starts_at  timestamptz not null,
  ends_at    timestamptz not null,
  limit_eur  numeric(16, 9) not null,
  counted_eur numeric(16, 9) not null default 0,
  -- per cent; the highest alert that was given
  alerted    smallint not null default 0 check (alerted in (0, 50, 80, 100)),
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  primary key (ceiling, starts_at)
);

-- Money that a gate may spend without asking again. Until it is closed, all of it counts as spent.
create table budget_block (
  id         uuid primary key,
  gate       text not null check (gate in ('local', 'cloud')),
  amount_eur numeric(16, 9) not null check (amount_eur >= 0),
  state      text not null default 'open' check (state in ('open', 'closed')),
  opened_at  timestamptz not null default clock_timestamp(),
  closed_at  timestamptz,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);
create index budget_block_open on budget_block (gate) where state = 'open';
create table budget_block_account (
  block_id  uuid not null references budget_block on delete cascade,
  ceiling   text not null,
  starts_at timestamptz not null,
  primary key (block_id, ceiling),
  foreign key (ceiling, starts_at) references budget_account
);
create index budget_block_account_of on budget_block_account (ceiling, starts_at);

create table budget_alert (
  ceiling   text not null,
  starts_at timestamptz not null,
  percent   smallint not null check (percent in (50, 80, 100)),
  spent_eur numeric(16, 9) not null,
  limit_eur numeric(16, 9) not null,
  at        timestamptz not null default clock_timestamp(),
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  primary key (ceiling, starts_at, percent)
);
create index budget_alert_at on budget_alert (at);

-- The gate whose role asks; each spends from its own blocks.
create function budget_gate() returns text
language sql stable as $$
  select case session_user when 'castellan_gate_local' then 'local' when 'castellan_gate_cloud' then 'cloud' end
$$;

create function exchange_rate_of(p_zone text, p_rate numeric, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare
  v_now timestamptz := coalesce(p_now, clock_timestamp());
  v_day date := (v_now at time zone p_zone)::date;
  v_rate numeric;
begin
  insert into exchange_rate (day, eur_per_usd, label_level, label_integrity) values (v_day, p_rate, 0, 'trusted') on conflict do nothing;
  select eur_per_usd into v_rate from exchange_rate where day = v_day;
  return jsonb_build_object('micro', round(v_rate * 1000000)::bigint,
    'valid_ms', floor(extract(epoch from ((v_day + 1)::timestamp at time zone p_zone) - v_now) * 1000));
end $$;

-- One alert for each mark, once in a period. The money spent is what was counted without what open blocks have left.
create function budget_mark(p_ceiling text, p_starts timestamptz, p_reached boolean default false) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare
  v_account budget_account;
  v_spent numeric;
  v_mark smallint;
begin
  select * into v_account from budget_account where ceiling = p_ceiling and starts_at = p_starts for no key update;
  if not found or budget_gate() is null then return; end if;
  select v_account.counted_eur - coalesce(sum(b.amount_eur - (select coalesce(sum(c.cost_eur), 0) from model_call c where c.block_id = b.id and c.state <> 'open')), 0)
    into v_spent
  from budget_block_account a join budget_block b on b.id = a.block_id
  where a.ceiling = p_ceiling and a.starts_at = p_starts and b.state = 'open';
  foreach v_mark in array array[50, 80, 100]::smallint[] loop
    continue when v_mark <= v_account.alerted or v_account.limit_eur = 0;
    -- a call for which there is no room left has reached the ceiling, although some cents are left
    continue when not (v_spent * 100 >= v_account.limit_eur * v_mark or (p_reached and v_mark = 100));
    insert into budget_alert (ceiling, starts_at, percent, spent_eur, limit_eur, label_level, label_integrity)
      values (p_ceiling, p_starts, v_mark, v_spent, v_account.limit_eur, 1, 'trusted');
    perform audit_write('budget.alert', p_ceiling, jsonb_build_object('percent', v_mark, 'spent_eur', v_spent, 'limit_eur', v_account.limit_eur, 'starts_at', p_starts));
    update budget_account set alerted = v_mark where ceiling = p_ceiling and starts_at = p_starts;
  end loop;
end $$;

-- Reserves a block against every ceiling at once: between what is needed and what is wanted, as there is room.
-- p_ceilings: [{ceiling, per: day|month, limit}]. Answers {outcome: reserved, amount, valid_ms, accounts} or {outcome: exceeded, ceiling, …}.
create function budget_reserve(p_id uuid, p_ceilings jsonb, p_zone text, p_needed numeric, p_wanted numeric, p_now timestamptz default null) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare
  v_now timestamptz := coalesce(p_now, clock_timestamp());
  v_amount numeric := greatest(p_needed, p_wanted);
  v_ends timestamptz := 'infinity';
  v_ceiling record;
  v_account budget_account;
  v_tight budget_account;
  v_room numeric := 'infinity';
begin
  if budget_gate() is null or p_needed < 0 then
    raise exception 'only a gate reserves money' using errcode = '42501';
  end if;
  -- always in this order, so that two gates never wait for each other
  for v_ceiling in
    select c ->> 'ceiling' as name, (c ->> 'limit')::numeric as most, date_trunc(c ->> 'per', v_now, p_zone) as starts,
      (date_trunc(c ->> 'per', v_now at time zone p_zone) + ('1 ' || (c ->> 'per'))::interval) at time zone p_zone as ends
    from jsonb_array_elements(p_ceilings) as c order by c ->> 'ceiling'
  loop
    insert into budget_account as a (ceiling, starts_at, ends_at, limit_eur, label_level, label_integrity)
      values (v_ceiling.name, v_ceiling.starts, v_ceiling.ends, v_ceiling.most, 1, 'trusted')
      on conflict (ceiling, starts_at) do update set limit_eur = excluded.limit_eur returning * into v_account;
    v_ends := least(v_ends, v_account.ends_at);
    if v_account.limit_eur - v_account.counted_eur < v_room then
      v_room := v_account.limit_eur - v_account.counted_eur;
      v_tight := v_account;
    end if;
  end loop;
  if v_room < p_needed then
    return jsonb_build_object('outcome', 'exceeded', 'ceiling', v_tight.ceiling, 'limit', v_tight.limit_eur * 1e9, 'counted', v_tight.counted_eur * 1e9,
      'room', greatest(v_room, 0) * 1e9, 'resets_at', v_tight.ends_at, 'starts_at', v_tight.starts_at);
  end if;
  v_amount := least(v_amount, v_room);
  insert into budget_block (id, gate, amount_eur, label_level, label_integrity) values (p_id, budget_gate(), v_amount, 1, 'trusted');
  for v_ceiling in
    select c ->> 'ceiling' as name, date_trunc(c ->> 'per', v_now, p_zone) as starts from jsonb_array_elements(p_ceilings) as c order by c ->> 'ceiling'
  loop
    update budget_account set counted_eur = counted_eur + v_amount where ceiling = v_ceiling.name and starts_at = v_ceiling.starts;
    insert into budget_block_account values (p_id, v_ceiling.name, v_ceiling.starts);
  end loop;
  return jsonb_build_object('outcome', 'reserved', 'amount', round(v_amount * 1e9), 'valid_ms', floor(extract(epoch from v_ends - v_now) * 1000));
end $$;

-- Gives back what a block has and does not need: all but what its calls cost, and p_keep if that is more. Without p_keep the block is closed,
-- once no call of it is open; an open call counts with what was reserved for it.
create function budget_give_back(p_block uuid, p_keep numeric default null) returns boolean
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare
  v_block budget_block;
  v_spent numeric;
  v_open boolean;
  v_account record;
begin
  select * into v_block from budget_block where id = p_block and gate = budget_gate() and state = 'open' for update;
  if not found then return false; end if;
  select coalesce(sum(cost_eur), 0), coalesce(bool_or(state = 'open'), false) into v_spent, v_open from model_call where block_id = p_block;
  v_spent := greatest(v_spent, coalesce(p_keep, 0));
  update budget_block set amount_eur = v_spent,
    state = case when p_keep is null and not v_open then 'closed' else 'open' end,
    closed_at = case when p_keep is null and not v_open then clock_timestamp() end
  where id = p_block;
  for v_account in select ceiling, starts_at from budget_block_account where block_id = p_block order by ceiling, starts_at loop
    update budget_account set counted_eur = counted_eur + v_spent - v_block.amount_eur where ceiling = v_account.ceiling and starts_at = v_account.starts_at;
    perform budget_mark(v_account.ceiling, v_account.starts_at);
  end loop;
  return true;
end $$;

-- The blocks of a gate that died, after its open calls were closed. When the database went down as well it may have forgotten calls of the last moment, so
-- a block that was open then stays counted as spent.
create function budget_recover() returns integer
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare
  v_block uuid;
  v_count integer := 0;
begin
  for v_block in
    update budget_block set state = 'closed', closed_at = clock_timestamp()
    where gate = budget_gate() and state = 'open' and opened_at < pg_postmaster_start_time() returning id
  loop
    perform audit_write('budget.kept', v_block::text, jsonb_build_object('amount_eur', (select amount_eur from budget_block where id = v_block)));
  end loop;
  for v_block in select id from budget_block where gate = budget_gate() and state = 'open' order by id loop
    if budget_give_back(v_block) then v_count := v_count + 1; end if;
  end loop;
  return v_count;
end $$;

-- After calls were settled: have marks been passed? For every account of a block.
create function budget_look(p_block uuid) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_account record;
begin
  for v_account in
    select a.ceiling, a.starts_at from budget_block_account a join budget_block b on b.id = a.block_id
    where a.block_id = p_block and b.gate = budget_gate() order by a.ceiling, a.starts_at
  loop
    perform budget_mark(v_account.ceiling, v_account.starts_at);
  end loop;
end $$;

revoke execute on function budget_gate, exchange_rate_of, budget_mark, budget_reserve, budget_give_back, budget_recover, budget_look from public;
grant execute on function exchange_rate_of, budget_mark, budget_reserve, budget_give_back, budget_recover, budget_look
  to castellan_gate_local, castellan_gate_cloud;
grant select on exchange_rate, budget_account, budget_block, budget_block_account, budget_alert to castellan_server;
