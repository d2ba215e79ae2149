-- What `up` sees of the processes it supervises. Written by the owner alone.
create table process (
  name       text primary key,
  pid        integer,
  uid        integer,
  state      text not null check (state in ('starting', 'ready', 'backoff', 'stopped', 'crashed')),
  restarts   integer not null default 0,
  isolation  text not null,
  reason     text,
  since      timestamptz not null default clock_timestamp()
);
create table supervisor (
  one         boolean primary key default true check (one),
  pid         integer not null,
  started_at  timestamptz not null,
  version     text not null,
  house       text not null,
  isolation   text not null,
  problems    jsonb not null default '[]'
);

-- Browsers that may ask the server, and links that let one in. Hashes only: what is here lets nobody in.
create table web_session (
  id         uuid primary key,
  key_hash   bytea not null unique check (octet_length(key_hash) = 32),
  -- as the browser called itself
  browser    text not null,
  opened_at  timestamptz not null,
  seen_at    timestamptz not null,
  expires_at timestamptz not null
);
create table signin_code (
  code_hash  bytea primary key check (octet_length(code_hash) = 32),
  expires_at timestamptz not null
);
