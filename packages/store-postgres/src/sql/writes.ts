import { instanceWriting, type RowWriting, serverWriting } from './columns.js';
import { prepared, type Statement } from './statement.js';
import { Write } from './write.js';

/** The statements that change rows. */
export interface Writes {
  readonly createServer: Write;
  readonly updateServer: Write;
  readonly deleteServer: Write;
  readonly createInstance: Write;
  readonly updateInstance: Write;
  readonly deleteInstance: Write;
  readonly append: Write;
  /** Makes counters that are not there yet. */
  readonly ensureCounters: Statement;
}

/** Writes the statements for a quoted schema. */
export function writesFor(schema: string): Writes {
  const create = (table: string, { names, places, count }: RowWriting, follow?: string): Write =>
    new Write({
      follow,
      schema,
      values: count,
      change: (allowed) => `insert into ${schema}.${table} (${names})
  select ${places} where ${allowed}
  returning resource_version as version`,
    });
  const update = (
    table: string,
    { assignments, count }: RowWriting,
    { owned, follow }: { owned?: (fence: string | undefined) => string; follow?: string } = {},
  ): Write =>
    new Write({
      follow,
      schema,
      values: count,
      change: (allowed, fence) => `update ${schema}.${table} set ${assignments}
  where id = $1::text and resource_version = $2::bigint - 1 and ${owned?.(fence) ?? 'true'} and ${allowed}
  returning resource_version as version`,
    });
  // Whether the row was never written under a higher epoch.
  const neverPassed = (fence: string | undefined): string =>
    fence === undefined ? 'true' : `lease_epoch <= ${fence}`;
  const byStatus = statusIndex(schema);
  return {
    createServer: create('servers', serverWriting),
    updateServer: update('servers', serverWriting),
    deleteServer: new Write({
      schema,
      values: 1,
      // A delete is a change too: its news must look newer than that of the last update.
      change: (allowed) => `delete from ${schema}.servers where id = $1::text and ${allowed}
  returning resource_version + 1 as version`,
    }),
    createInstance: create('instances', instanceWriting, byStatus.add),
    updateInstance: update('instances', instanceWriting, { owned: neverPassed, follow: byStatus.change }),
    deleteInstance: new Write({
      follow: byStatus.remove,
      schema,
      values: 2,
      change: (allowed, fence) => `delete from ${schema}.instances
  where id = $1::text and resource_version = $2::bigint and ${neverPassed(fence)} and ${allowed}
  returning resource_version + 1 as version`,
    }),
    append: new Write({
      schema,
      values: 0,
      change: (allowed) => `select 0::bigint as version where ${allowed}`,
    }),
    ensureCounters: prepared(
      `insert into ${schema}.counters (name, value) select name, 0 from unnest($1::text[]) as w (name) order by name
on conflict (name) do nothing`,
    ),
  };
}

/** Keeps `instances_by_status` as `instances` are. */
function statusIndex(schema: string): Readonly<Record<'add' | 'change' | 'remove', string>> {
  const table = `${schema}.instances_by_status`;
  const columns = ['tenant', 'status', 'created_at'].map(
    (column) => [column, instanceWriting.place(column)] as const,
  );
  const names = columns.map(([column]) => column).join(', ');
  const places = columns.map(([, place]) => place).join(', ');
  return {
    add: `insert into ${table} (id, ${names}) select $1::text, ${places} from changed`,
    // Most writes leave these as they are.
    change: `update ${table} t set ${columns.map(([column, place]) => `${column} = ${place}`).join(', ')} from changed
  where t.id = $1::text and (${columns.map(([column, place]) => `t.${column} <> ${place}`).join(' or ')})`,
    remove: `delete from ${table} t using changed where t.id = $1::text`,
  };
}
