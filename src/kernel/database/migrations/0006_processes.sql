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
