import type { InstanceQuery, Store } from '@mcpinfra/core/plugin';
import { postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, expect, it } from 'vitest';
import { type TestPostgres, startTestPostgres } from './support/postgres.js';
import { instance, server } from './support/rows.js';

const rows = 100_000;

describe.each(['machine', 'npm'] as const)('100 000 instances on the PostgreSQL of %s', (from) => {
  const fleet = serviceOrSkip(async () => {
    const postgres = await startTestPostgres({ from });
    const asked: Asked[] = [];
    const store = postgresStore({ pool: recording(postgres, asked) });
    await store.open();
    await fill(postgres, store);
    return {
      asked,
      postgres,
      store,
      stop: async () => {
        await store.close();
        await postgres.stop();
      },
    };
  });

  const queries: readonly [string, Omit<InstanceQuery, 'limit'>, number?][] = [
    ['all', {}],
    ['a tenant', { tenant: 'tenant-7' }],
    ['a status that many have', { status: ['running'] }],
    ['a status that few have', { status: ['failed'] }],
    ['several statuses', { status: ['failed', 'unhealthy', 'running'] }],
    ['a status in a tenant', { status: ['failed'], tenant: 'tenant-7' }],
    ['a type', { type: 'url' }],
    ['a server', { serverSpecId: 'server-3' }],
    ['a name', { tenant: 'tenant-7', name: 'name-7' }],
    ['a slug', { slug: 'slug-7' }],
    ['a label that few have', { labels: { nr: '7' } }],
    ['labels', { labels: { team: 'b', nr: '7' } }],
    ['a label that many have', { labels: { team: 'b' } }],
    ['a tag', { tags: ['tag-3'] }],
    ['a tag and a status', { tags: ['tag-3'], status: ['running'] }],
  ];

  it.each(queries)('reads a page of %s by an index, and sorts no more than a few pages', async (_, query) => {
    const { store, asked, postgres } = fleet();
    for (const cursor of [undefined, cursorAt(50_000)]) {
      asked.length = 0;
      await store.instances.list({ ...query, limit: 100, cursor });
      const plan = await explain(postgres, asked.at(-1)!);
      expect(plan.scanned).not.toContain('instances');
      expect(plan.scanned).not.toContain('instances_by_status');
      expect(plan.mostSorted).toBeLessThanOrEqual(1_500);
    }
  });

  it.each([
    ['a status that few have', { status: ['failed'] as const }],
    ['a status in a tenant', { status: ['failed'] as const, tenant: 'tenant-7' }],
    ['a tenant', { tenant: 'tenant-7' }],
    ['a server', { serverSpecId: 'server-3' }],
  ])('counts %s by an index', async (_, query) => {
    const { store, asked, postgres } = fleet();
    asked.length = 0;
    expect(await store.instances.count(query)).toBeGreaterThan(0);
    const plan = await explain(postgres, asked.at(-1)!);
    expect(plan.scanned).toEqual([]);
  });

  it('numbers and reads events by an index, however long the log is', async () => {
    const { store, asked, postgres } = fleet();
    await postgres.pool
      .query(`insert into mcpinfra.events (position, tenant, type, subject, time, resource_version, body)
      select n, '', 'FleetRecovered', 'fleet', now(), 0, '{}' from generate_series(1, ${rows}) n;
      update mcpinfra.store set head = ${rows}`);
    await postgres.pool.query('analyze mcpinfra.events');
    asked.length = 0;
    expect(await store.events.number(10)).toEqual([]);
    expect(await store.events.read({ after: 60_000, limit: 100 })).toHaveLength(100);
    for (const query of asked) expect((await explain(postgres, query)).scanned).toEqual([]);
  });
});

interface Asked {
  /** Given to what is kept prepared. */
  readonly name: string | undefined;
  readonly text: string;
  readonly values: unknown[];
}

/** Lends the clients of a pool and writes down what they are asked. */
function recording({ pool }: TestPostgres, asked: Asked[]) {
  return {
    options: pool.options,
    connect: async () => {
      const client = await pool.connect();
      return {
        query: (query: { text: string; values?: unknown[]; name?: string }) => {
          asked.push({ name: query.name, text: query.text, values: query.values ?? [] });
          return client.query(query);
        },
        release: (destroy?: boolean) => client.release(destroy),
        on: (event: 'error', listener: (error: Error) => void) => client.on(event, listener),
        removeListener: (event: 'error', listener: (error: Error) => void) =>
          client.removeListener(event, listener),
      };
    },
  };
}

interface Plan {
  /** Tables that are read from end to end. */
  readonly scanned: readonly string[];
  /** The largest number of rows that a step sorts. */
  readonly mostSorted: number;
}

interface Step {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly Plans?: readonly Step[];
}

/** Runs a query by the plan it gets: one that is kept prepared is planned without its values. */
async function explain({ pool }: TestPostgres, { name, text, values }: Asked): Promise<Plan> {
  const client = await pool.connect();
  try {
    await client.query(`set plan_cache_mode = force_${name === undefined ? 'custom' : 'generic'}_plan`);
    await client.query(`prepare asked as ${text}`);
    const literals = values.map(literal).join(', ');
    const execute = `execute asked${literals === '' ? '' : `(${literals})`}`;
    const result = await client.query<{ 'QUERY PLAN': [{ Plan: Step }] }>(
      `explain (analyze, costs off, timing off, format json) ${execute}`,
    );
    const steps = flat(result.rows[0]!['QUERY PLAN'][0].Plan);
    return {
      scanned: steps
        .filter((step) => step['Node Type'] === 'Seq Scan')
        .map((step) => step['Relation Name'] ?? '')
        .filter((table) => table !== 'store'),
      mostSorted: Math.max(
        0,
        ...steps.filter((step) => step['Node Type'] === 'Sort').map((step) => sortedBy(step)),
      ),
    };
  } finally {
    client.release(true);
  }
}

function flat(step: Step): Step[] {
  return [step, ...(step.Plans ?? []).flatMap(flat)];
}

function sortedBy(step: Step): number {
  return Math.max(...(step.Plans ?? []).map((input) => input['Actual Rows']));
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `array[${value.map(literal).join(', ')}]::text[]`;
  return `'${String(value).replaceAll("'", "''")}'`;
}

function createdAt(nth: number): string {
  return new Date(Date.UTC(2026, 0, 1) + nth * 1_000).toISOString();
}

function cursorAt(nth: number): string {
  return Buffer.from(JSON.stringify([createdAt(nth), `id-${nth}`])).toString('base64url');
}

/** One row by the store, and copies of it with other values by the server itself. */
async function fill({ pool }: TestPostgres, store: Store): Promise<void> {
  for (let nth = 0; nth < 20; nth += 1) {
    await store.createServer(server({ id: `server-${nth}`, tags: [`tag-${nth}`, 'any'] }), { events: [] });
  }
  const body = JSON.stringify(instance({ createdAt: createdAt(0) }));
  await pool.query(
    `insert into mcpinfra.instances
      (id, tenant, name, slug, status, desired_state, type, server_spec_id, labels, created_at, lease_epoch, resource_version, body)
    select 'id-' || n, 'tenant-' || n % 50, 'name-' || n, 'slug-' || n,
      case when n % 1000 = 7 then 'failed' when n % 500 = 3 then 'unhealthy' else 'running' end, 'running',
      case when n % 10 = 0 then 'url' else 'docker' end, 'server-' || n % 20,
      jsonb_build_object('team', case when n % 2 = 0 then 'a' else 'b' end, 'nr', n::text),
      timestamptz '2026-01-01T00:00:00Z' + n * interval '1 s', 0, 1, $1::json
    from generate_series(1, ${rows}) n`,
    [body],
  );
  await pool.query(`insert into mcpinfra.instances_by_status (id, tenant, status, created_at)
    select id, tenant, status, created_at from mcpinfra.instances`);
  await pool.query('vacuum analyze mcpinfra.instances');
  await pool.query('vacuum analyze mcpinfra.instances_by_status');
}
