// Keys are compared byte by byte (collate "C"): in the order of JavaScript, whatever the database's language, and no index
// breaks when the operating system changes its collations. Rows are kept as `json`, the text as it was written: it is not
// taken apart when it is read and may hold every character. What is searched for is a column beside it.
export const firstSchema = `
create table store (
  one boolean primary key default true check (one),
  store_id text not null,
  fleet text not null,
  -- The positions of the newest numbered event, and of the newest that the retention removed.
  head bigint not null default 0,
  removed bigint not null default 0
);

create table servers (
  id text collate "C" constraint servers_id primary key,
  tenant text collate "C" not null,
  name text collate "C" not null,
  version text collate "C" not null,
  status text collate "C" not null,
  is_public boolean not null,
  tags text[] collate "C" not null,
  labels jsonb not null,
  created_at timestamptz not null,
  resource_version bigint not null,
  body json not null,
  constraint servers_name unique (tenant, name, version)
);
create index servers_page on servers (created_at, id);
create index servers_tags on servers using gin (tags);

create table instances (
  id text collate "C" constraint instances_id primary key,
  tenant text collate "C" not null,
  name text collate "C" not null,
  slug text collate "C" not null constraint instances_slug unique,
  status text collate "C" not null,
  desired_state text collate "C" not null,
  type text collate "C" not null,
  server_spec_id text collate "C",
  labels jsonb not null,
  created_at timestamptz not null,
  -- The epoch of the lease under which a worker last wrote the row.
  lease_epoch bigint not null,
  resource_version bigint not null,
  body json not null,
  constraint instances_name unique (tenant, name)
) with (fillfactor = 70);
create index instances_page on instances (created_at, id);
create index instances_tenant on instances (tenant, created_at, id);
create index instances_type on instances (type, created_at, id);
create index instances_server on instances (server_spec_id, created_at, id);
create index instances_labels on instances using gin (labels jsonb_path_ops);

-- A row is compressed at each write: lz4 takes a fifth of the time of what servers choose by themselves.
do $$ begin
  alter table instances alter body set compression lz4;
exception when feature_not_supported then
  -- The server was built without it.
end $$;

-- What is searched by and changes often is kept apart: a row whose indexed columns stay as they are is replaced within its
-- page, and none of the indexes above is written.
create table instances_by_status (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  status text collate "C" not null,
  created_at timestamptz not null
) with (fillfactor = 70);
create index instances_by_status_page on instances_by_status (status, created_at, id);

-- Ids are given when a row is written and become visible when it is committed, in another order. So a reader could miss an
-- event that commits late: the relay gives committed events a position, and readers see those only.
create table events (
  id bigint generated always as identity,
  position bigint,
  tenant text collate "C" not null,
  type text collate "C" not null,
  subject text collate "C" not null,
  time timestamptz not null,
  resource_version bigint not null,
  body json not null
);
create unique index events_position on events (position) where position is not null;
create index events_waiting on events (id) where position is null;

create table cursors (
  name text collate "C" primary key,
  position bigint not null
);

-- Rows stay when a lease is given back, so that epochs of one name never go down.
create sequence lease_epochs;
create table leases (
  name text collate "C" primary key,
  holder_id text collate "C",
  epoch bigint not null,
  expires_at timestamptz not null,
  address text
);
create unique index leases_epoch on leases (epoch);

create table counters (
  name text collate "C" primary key,
  value bigint not null
);
`;
