import type { CallOptions, CounterDrift, CounterTable } from '@mcpinfra/core/plugin';
import type { Connection } from '../database/database.js';
import { planned, prepared, type Statement } from '../sql/statement.js';

/** Numbers that are changed in the same statement as the rows they count. */
export class SqlCounterTable implements CounterTable {
  readonly #database: Connection;
  readonly #schema: string;
  readonly #get: Statement;

  constructor(database: Connection, schema: string) {
    this.#database = database;
    this.#schema = schema;
    this.#get = prepared(`select value from ${schema}.counters where name = $1::text`);
  }

  async get(name: string, options?: CallOptions): Promise<number> {
    const [row] = await this.#database.query(this.#get, [name], options);
    return Number(row?.['value'] ?? 0);
  }

  async recount(options?: CallOptions): Promise<readonly CounterDrift[]> {
    const rows = await this.#database.transaction(async (session) => {
      // Writers change a counter together with its rows: while they wait, both are seen as they belong together.
      await session.script(`lock table ${this.#schema}.counters in share row exclusive mode`);
      return session.query(recounting(this.#schema), []);
    }, options);
    return rows.map((row) => ({
      name: row['name'] ?? '',
      was: Number(row['was']),
      is: Number(row['found']),
    }));
  }
}

function recounting(schema: string): Statement {
  return planned(`with counted as (
  select 'instances' as name, count(*) as value from ${schema}.instances
  union all
  select 'instances/' || tenant, count(*) from ${schema}.instances group by tenant
), kept as (
  select name, value from ${schema}.counters where name = 'instances' or name like 'instances/%'
), drifted as (
  select name, coalesce(kept.value, 0) as was, coalesce(counted.value, 0) as found
  from counted full join kept using (name)
  where coalesce(kept.value, 0) <> coalesce(counted.value, 0)
), mended as (
  insert into ${schema}.counters (name, value) select name, found from drifted
  on conflict (name) do update set value = excluded.value
)
select name, was, found from drifted order by name`);
}
