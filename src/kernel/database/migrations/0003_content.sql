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
