-- Bulk work of programs outside the house: the files that they send in, the batches that they make of them, and what became of each line.
-- Each gate has its own; gate cloud sees of them only what a cloud model may see.

-- a key and its hash, to be named together
alter table client_key add unique (id, key_hash);

create table batch (
  id            uuid primary key,
  key_id        uuid not null,
  -- of that key and no other: by which a line asks as the key's owner would; it opens nothing from outside, where the key itself is wanted
  key_hash      bytea not null check (octet_length(key_hash) = 32),
  gate          text not null check (gate in ('local', 'cloud')),
  input_file_id uuid not null,
  endpoint      text not null check (endpoint in ('/v1/chat/completions', '/v1/responses', '/v1/embeddings', '/v1/messages')),
  task          text,
  metadata      jsonb,
  state         text not null default 'validating'
    check (state in ('validating', 'in_progress', 'finalizing', 'cancelling', 'completed', 'failed', 'expired', 'cancelled')),
  errors        jsonb, -- [{code, line, message}]; why none or no more of its lines were asked
  models        text[] not null default '{}',
  total         integer not null default 0,
  answered      integer not null default 0,
  failed        integer not null default 0,
  output_file_id uuid,
  error_file_id  uuid,
  opened_at     timestamptz not null,
  window_ends_at timestamptz not null,
  began_at      timestamptz,
  finalizing_at timestamptz,
  cancelling_at timestamptz,
  closed_at     timestamptz,
  asked_at      timestamptz, -- when its last line was taken, so that batches take turns
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  foreign key (key_id, key_hash) references client_key (id, key_hash),
  check ((closed_at is not null) = (state in ('completed', 'failed', 'expired', 'cancelled')))
);
create index batch_open on batch (gate) where closed_at is null;
create index batch_of_key on batch (key_id, opened_at desc, id desc);
create index batch_input on batch (input_file_id);
create index batch_retained on batch (retain_until);

create function batch_closes_once() returns trigger
language plpgsql as $$
begin
  if old.closed_at is not null then
    raise exception 'batch % is closed', old.id using errcode = 'CA003';
  end if;
  return new;
end $$;
create trigger batch_close before update of state, total, answered, failed, closed_at, output_file_id, error_file_id on batch
  for each row execute function batch_closes_once();

-- What a program sent in; or the answers, or the errors, of a batch, whose bytes are those of the batch's lines.
create table batch_file (
  id         uuid primary key,
  key_id     uuid not null references client_key,
  gate       text not null check (gate in ('local', 'cloud')),
  holds      text not null check (holds in ('input', 'answers', 'errors')),
  batch_id   uuid references batch on delete cascade,
  name       text not null check (length(name) <= 255),
  state      text not null default 'open' check (state in ('open', 'whole')), -- open: it is being sent in
  bytes      bigint not null default 0,
  lines      integer not null default 0,
  made_at    timestamptz not null,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  check ((batch_id is null) = (holds = 'input'))
);
create index batch_file_of_key on batch_file (key_id, made_at desc, id desc);
create index batch_file_of_batch on batch_file (batch_id) where batch_id is not null;
create index batch_file_open on batch_file (gate) where state = 'open';
create index batch_file_retained on batch_file (retain_until);

-- The bytes between two line feeds, the last line included.
create table batch_file_line (
  file_id    uuid not null references batch_file on delete cascade,
  number     integer not null,
  gate       text not null check (gate in ('local', 'cloud')),
  body       bytea not null,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  primary key (file_id, number)
);

create table batch_line (
  batch_id   uuid not null references batch on delete cascade,
  number     integer not null, -- of the line in the file
  gate       text not null check (gate in ('local', 'cloud')),
  custom_id  text not null,
  model      text not null,
  state      text not null default 'waiting' check (state in ('waiting', 'asking', 'answered', 'failed')),
  answer     text, -- the line of the file of answers, or of errors, as JSON
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  primary key (batch_id, number)
);
create index batch_line_waiting on batch_line (batch_id, model, number) where state = 'waiting';
create index batch_line_asking on batch_line (gate, batch_id) where state = 'asking';

-- A line is reported once. What it said may be removed.
create function batch_line_ends_once() returns trigger
language plpgsql as $$
begin
  if old.state in ('answered', 'failed') and (new.state <> old.state or new.answer is not null) then
    raise exception 'line % of batch % has ended', old.number, old.batch_id using errcode = 'CA003';
  end if;
  return new;
end $$;
create trigger batch_line_end before update of state, answer on batch_line for each row execute function batch_line_ends_once();

-- Which calls of the ledger a batch has made. No reference: the ledger is kept longer.
alter table model_call add column batch_id uuid;
create index model_call_batch on model_call (batch_id) where batch_id is not null;

-- Rows by gate and label. Nobody can change a label, and a line has at least that of what it belongs to.
do $$
declare t text;
begin
  foreach t in array array['batch', 'batch_file', 'batch_file_line', 'batch_line'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy local_rows on %I for all to castellan_gate_local using (gate = ''local'') with check (gate = ''local'')', t);
    execute format('create policy cloud_rows on %I for all to castellan_gate_cloud using (gate = ''cloud'' and label_level <= cloud_clearance(label_lanes))
      with check (gate = ''cloud'' and label_level <= cloud_clearance(label_lanes))', t);
  end loop;
end $$;
create policy within_key on batch as restrictive for insert to castellan_gate_local, castellan_gate_cloud with check (key_covers(key_id, gate, label_level, label_lanes));
create policy within_key on batch_file as restrictive for insert to castellan_gate_local, castellan_gate_cloud with check (key_covers(key_id, gate, label_level, label_lanes));
create policy as_its_file on batch_file_line as restrictive for insert to castellan_gate_local, castellan_gate_cloud
  with check (exists (select 1 from batch_file f where f.id = file_id and f.label_level <= batch_file_line.label_level and f.label_lanes <@ batch_file_line.label_lanes));
create policy as_its_batch on batch_line as restrictive for insert to castellan_gate_local, castellan_gate_cloud
  with check (exists (select 1 from batch b where b.id = batch_id and b.label_level <= batch_line.label_level and b.label_lanes <@ batch_line.label_lanes));
create policy as_its_file on batch as restrictive for insert to castellan_gate_local, castellan_gate_cloud
  with check (exists (select 1 from batch_file f where f.id = input_file_id and f.key_id = batch.key_id and f.label_level <= batch.label_level and f.label_lanes <@ batch.label_lanes));
create policy everything on batch for select to castellan_server using (true);

-- The operator's word. Returns {outcome: missing|closed|cancelling, state}; its gate does the rest within seconds.
create function batch_cancel(p_id uuid) returns jsonb
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare b batch;
begin
  select * into b from batch where id = p_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'missing');
  elsif b.closed_at is not null or b.state = 'finalizing' then
    return jsonb_build_object('outcome', 'closed', 'state', b.state);
  end if;
  update batch set state = 'cancelling', cancelling_at = coalesce(cancelling_at, clock_timestamp()) where id = p_id;
  return jsonb_build_object('outcome', 'cancelling', 'state', 'cancelling');
end $$;

revoke execute on function batch_closes_once, batch_line_ends_once, batch_cancel from public;
grant execute on function batch_cancel to castellan_server;
grant select, insert on batch, batch_file_line, batch_line to castellan_gate_local, castellan_gate_cloud;
grant update (state, errors, models, total, answered, failed, output_file_id, error_file_id, began_at, finalizing_at, cancelling_at, closed_at, asked_at) on batch
  to castellan_gate_local, castellan_gate_cloud;
grant update (state, answer) on batch_line to castellan_gate_local, castellan_gate_cloud;
grant select, insert, delete on batch_file to castellan_gate_local, castellan_gate_cloud;
grant update (state, bytes, lines) on batch_file to castellan_gate_local, castellan_gate_cloud;
-- what goes on; nothing of what was asked
grant select (id, key_id, gate, endpoint, task, state, total, answered, failed, opened_at, window_ends_at, closed_at, label_level, label_integrity, label_lanes) on batch to castellan_server;
insert into audit_kind (role, kind) values
  ('castellan_gate_local', 'batch.opened'), ('castellan_gate_local', 'batch.closed'), ('castellan_gate_cloud', 'batch.opened'), ('castellan_gate_cloud', 'batch.closed');
