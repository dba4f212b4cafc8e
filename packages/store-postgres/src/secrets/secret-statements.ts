import { planned, prepared, type Statement } from '../sql/statement.js';

/** The statements of secrets. */
export interface SecretStatements {
  readonly storeId: Statement;
  readonly makeStoreId: Statement;
  readonly listKeys: Statement;
  readonly addKey: Statement;
  readonly resolve: Statement;
  readonly put: Statement;
  readonly delete: Statement;
  readonly deleteScope: Statement;
  readonly listScope: Statement;
  readonly listOld: Statement;
  readonly reseal: Statement;
  readonly countOld: Statement;
}

const sealed = (table: string): string =>
  `${table}.key_id, encode(${table}.data_key, 'base64') as data_key, encode(${table}.body, 'base64') as body`;

/** Writes the statements of secrets for a quoted schema. */
export function secretStatements(schema: string): SecretStatements {
  const secrets = `${schema}.secrets`;
  return {
    storeId: planned(`select id from ${schema}.secret_store`),
    makeStoreId: planned(`insert into ${schema}.secret_store (id) values ($1::text) on conflict do nothing`),
    listKeys: planned(`select ${sealed('k')},
  exists (select from ${secrets} s where s.key_id = k.key_id) as used
from ${schema}.secret_keys k order by k.key_id`),
    addKey: planned(`insert into ${schema}.secret_keys (key_id, data_key, body)
values ($1::text, decode($2::text, 'base64'), decode($3::text, 'base64')) on conflict do nothing`),
    resolve: prepared(`select s.scope, s.key, ${sealed('s')}
from unnest($1::text[], $2::text[]) as wanted (scope, key)
join ${secrets} s on s.scope = wanted.scope and s.key = wanted.key`),
    put: prepared(`insert into ${secrets} (scope, key, key_id, data_key, body)
values ($1::text, $2::text, $3::text, decode($4::text, 'base64'), decode($5::text, 'base64'))
on conflict (scope, key) do update set key_id = excluded.key_id, data_key = excluded.data_key, body = excluded.body`),
    delete: prepared(`delete from ${secrets} where scope = $1::text and key = $2::text`),
    deleteScope: prepared(`delete from ${secrets} where scope = $1::text`),
    listScope: prepared(`select key from ${secrets} where scope = $1::text`),
    listOld: prepared(`select s.scope, s.key, ${sealed('s')} from ${secrets} s
where s.key_id <> $1::text and (s.scope, s.key) > ($2::text, $3::text)
order by s.scope, s.key limit $4::int`),
    // Only where the row is still the one that was read. Rows are locked in the order of their names, so that no two
    // processes wait for each other.
    reseal: prepared(`with given as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    as g (scope, key, before, data_key, body)
), mine as materialized (
  select s.scope, s.key, g.data_key, g.body from ${secrets} s
  join given g on s.scope = g.scope and s.key = g.key and s.data_key = decode(g.before, 'base64')
  order by s.scope, s.key for update of s
)
update ${secrets} s
set key_id = $6::text, data_key = decode(mine.data_key, 'base64'), body = decode(mine.body, 'base64')
from mine where s.scope = mine.scope and s.key = mine.key
returning s.key`),
    countOld: planned(`select count(*) as remaining from ${secrets} where key_id <> $1::text`),
  };
}
