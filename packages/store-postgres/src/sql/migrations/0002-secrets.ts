// A value is only ever here as it was sealed: `body` under a data key of its row, and that under the host's key `key_id`.
// What is sealed is bound to the id of this store, so that rows mean nothing in another one.
export const secretsSchema = `
create table secret_store (
  one boolean primary key default true check (one),
  id text not null
);

-- Something known, sealed under each key that was ever in use: tells a wrong key from the right one.
create table secret_keys (
  key_id text collate "C" primary key,
  data_key bytea not null,
  body bytea not null
);

create table secrets (
  scope text collate "C" not null,
  key text collate "C" not null,
  key_id text collate "C" not null,
  data_key bytea not null,
  body bytea not null,
  primary key (scope, key)
);
create index secrets_key_id on secrets (key_id);
`;
