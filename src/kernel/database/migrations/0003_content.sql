-- Stored bytes, referred to by their SHA-256, and the messages of the mailboxes.

create table content (
  hash       bytea not null check (octet_length(hash) = 32),
  body       bytea,                       -- null once its time was over
  stored_at  timestamptz not null default clock_timestamp(),
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  primary key (hash)
);
create index content_retained on content (retain_until) where body is not null;
create trigger content_label before update of label_level, label_integrity, label_lanes on content for each row execute function label_only_rises();

create table mail_message (
  id          uuid primary key,
  account     text not null,
  folder      text not null,
  uid         text not null,              -- IMAP: uidvalidity/uid; a folder of files: its name
  raw_hash    bytea not null references content (hash),
  size        integer not null,           -- bytes
  received_at timestamptz not null,
  stored_at   timestamptz not null default clock_timestamp(),
  -- from here on: what a worker read in it, null until then
  message_id  text,
  envelope    jsonb,
  body_text   text,
  parsed_at   timestamptz,
  parse_error jsonb,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz,
  unique (account, folder, uid)
);
create index mail_message_received on mail_message (received_at desc);
create index mail_message_message_id on mail_message (message_id) where message_id is not null;
create index mail_message_unparsed on mail_message (received_at) where parsed_at is null;
create index mail_message_raw on mail_message (raw_hash);
create index mail_message_unstamped on mail_message (id) where retain_until is null;
create index mail_message_retained on mail_message (retain_until) where retain_until is not null;
create trigger mail_message_label before update on mail_message for each row execute function label_only_rises();

-- Only the releaser stores raw messages: bytes as they came, under the label that the account's rule gives.
create function mail_store(p_id uuid, p_account text, p_folder text, p_uid text, p_raw bytea, p_received timestamptz,
  p_level smallint, p_integrity text, p_lanes text[]) returns boolean
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare v_hash bytea := sha256(p_raw);
begin
  insert into content (hash, body, label_level, label_integrity, label_lanes) values (v_hash, p_raw, p_level, p_integrity, p_lanes)
  on conflict (hash) do update set
    -- bytes whose time was over are here again, with a time of their own
    body = coalesce(content.body, excluded.body),
    label_level = greatest(content.label_level, excluded.label_level),
    label_integrity = integrity_join(content.label_integrity, excluded.label_integrity),
    label_lanes = lanes_join(content.label_lanes, excluded.label_lanes);
  insert into mail_message (id, account, folder, uid, raw_hash, size, received_at, label_level, label_integrity, label_lanes)
  values (p_id, p_account, p_folder, p_uid, v_hash, octet_length(p_raw), p_received, p_level, p_integrity, p_lanes)
  on conflict (account, folder, uid) do nothing;
  return found;
end $$;

-- How far the mirror of a folder on a mail server has come, and how it is.
create table mailbox (
  account     text not null,
  folder      text not null,
  server      text not null,              -- USER@HOST: another one is another mailbox
  uidvalidity bigint,                     -- null until it was opened for the first time
  uid         bigint not null default 0,  -- every message up to this number is stored, refused, or gone
  messages    bigint not null default 0,  -- how many were stored, ever
  state       text not null check (state in ('connecting', 'mirroring', 'watching', 'failing', 'refused')),
  since       timestamptz not null,       -- in this state
  problem     text,
  refused     jsonb not null default '[]', -- the last messages that were not taken in, with the reason
  primary key (account, folder)
);

-- A message that comes in pieces, because it is too large to be held in memory; gone when it is stored, or fetched again.
create unlogged table mail_piece (
  account text not null,
  folder  text not null,
  uid     text not null,
  part    integer not null,
  body    bytea not null,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  primary key (account, folder, uid, part)
);

-- A message of a server, named VALIDITY/UID. When the server has named its messages anew, the same bytes in the same folder are
-- the same message and get their new name; when it has given a name twice, one of the messages has its hash in its name.
create function mail_mirror_one(p_id uuid, p_account text, p_folder text, p_uidvalidity bigint, p_uid bigint, p_raw bytea, p_received timestamptz,
  p_level smallint, p_integrity text, p_lanes text[]) returns boolean
language plpgsql as $$
declare
  v_hash bytea := sha256(p_raw);
  v_name text := p_uidvalidity || '/' || p_uid;
begin
  if exists (select 1 from mail_message where account = p_account and folder = p_folder and uid = v_name and raw_hash <> v_hash) then
    v_name := v_name || '/' || encode(v_hash, 'hex');
  end if;
  if exists (select 1 from mail_message where account = p_account and folder = p_folder and uid = v_name) then
    return false;
  end if;
  update mail_message set uid = v_name where id = (
    select id from mail_message
    where raw_hash = v_hash and account = p_account and folder = p_folder and split_part(uid, '/', 1) <> p_uidvalidity::text limit 1);
  if found then
    return false;
  end if;
  perform mail_store(p_id, p_account, p_folder, v_name, p_raw, p_received, p_level, p_integrity, p_lanes);
  perform audit_write('mail.stored', p_id::text, jsonb_build_object('account', p_account, 'sha256', encode(v_hash, 'hex'), 'size', octet_length(p_raw)));
  return true;
end $$;

-- Many messages in one call, their bytes one after the other in p_raw. Returns how many are new.
create function mail_mirror(p_account text, p_folder text, p_uidvalidity bigint, p_ids uuid[], p_uids bigint[], p_received timestamptz[], p_sizes integer[],
  p_raw bytea, p_level smallint, p_integrity text, p_lanes text[]) returns integer
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare
  v_at integer := 1;
  v_fresh integer := 0;
begin
  for i in 1 .. cardinality(p_ids) loop
    if mail_mirror_one(p_ids[i], p_account, p_folder, p_uidvalidity, p_uids[i], substring(p_raw from v_at for p_sizes[i]), p_received[i],
      p_level, p_integrity, p_lanes) then
      v_fresh := v_fresh + 1;
    end if;
    v_at := v_at + p_sizes[i];
  end loop;
  return v_fresh;
end $$;

-- The message whose pieces are there, all p_size bytes of it: in a crash the table loses those that had come.
create function mail_mirror_pieces(p_account text, p_folder text, p_uidvalidity bigint, p_id uuid, p_uid bigint, p_received timestamptz, p_size integer,
  p_level smallint, p_integrity text, p_lanes text[]) returns boolean
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare
  v_raw bytea;
begin
  select string_agg(body, ''::bytea order by part) into v_raw from mail_piece
  where account = p_account and folder = p_folder and uid = p_uidvalidity || '/' || p_uid;
  if octet_length(v_raw) is distinct from p_size then
    raise exception 'pieces of it are missing';
  end if;
  delete from mail_piece where account = p_account and folder = p_folder;
  return mail_mirror_one(p_id, p_account, p_folder, p_uidvalidity, p_uid, v_raw, p_received, p_level, p_integrity, p_lanes);
end $$;

-- A worker records what it read in a message, and may raise its label by it.
create function mail_parsed(p_message uuid, p_message_id text, p_envelope jsonb, p_text text, p_error jsonb, p_level smallint,
  p_lanes text[] default '{}') returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
begin
  update mail_message set message_id = p_message_id, envelope = p_envelope, body_text = p_text, parse_error = p_error,
    parsed_at = clock_timestamp(), label_level = greatest(label_level, p_level), label_lanes = lanes_join(label_lanes, p_lanes)
  where id = p_message and parsed_at is null and may_execute(coalesce(label_lanes[1], 'none'), label_level, label_lanes);
  update content c set label_level = greatest(c.label_level, m.label_level), label_lanes = lanes_join(c.label_lanes, m.label_lanes) from mail_message m
  where m.id = p_message and c.hash = m.raw_hash and (c.label_level < m.label_level or not c.label_lanes @> m.label_lanes);
end $$;

-- The label of a file that a run wrote, by what is in it.
create table file_label (
  hash bytea primary key,
  run_id uuid,
  label_level     smallint not null default 3,
  label_integrity text not null default 'untrusted',
  label_lanes     text[] not null default '{}',
  retain_until timestamptz
);
create function file_written(p_run uuid, p_fence uuid, p_hash bytea, p_level smallint, p_integrity text, p_lanes text[]) returns void
language plpgsql security definer set search_path = castellan, pg_temp as $$
declare r run;
begin
  select * into r from run where id = p_run and fence = p_fence;
  if not found then
    raise exception 'run % is held by another executor', p_run using errcode = 'CA409';
  end if;
  insert into file_label (hash, run_id, label_level, label_integrity, label_lanes)
  values (p_hash, p_run, greatest(p_level, r.label_level), integrity_join(p_integrity, r.label_integrity), lanes_join(p_lanes, r.label_lanes))
  on conflict (hash) do update set
    label_level = greatest(file_label.label_level, excluded.label_level),
    label_integrity = integrity_join(file_label.label_integrity, excluded.label_integrity),
    label_lanes = lanes_join(file_label.label_lanes, excluded.label_lanes);
end $$;
