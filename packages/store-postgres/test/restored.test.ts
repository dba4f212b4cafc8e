import { createMCPInfra } from '@mcpinfra/core';
import { fakeProvider } from '@mcpinfra/core/testing';
import { postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import type { Pool } from 'pg';
import { expect, it, onTestFinished, vi } from 'vitest';
import { newSchema, startTestPostgres } from './support/postgres.js';
import { event } from './support/rows.js';

const postgres = serviceOrSkip(startTestPostgres);

/** The log and how far its readers are become what they were when its newest event had this position. */
async function putBack(pool: Pool, schema: string, head: number): Promise<void> {
  await pool.query(`begin;
    delete from ${schema}.events where position is null or position > ${head};
    update ${schema}.cursors set position = least(position, ${head});
    update ${schema}.store set head = ${head};
    commit`);
}

it('gives no position twice that it has told, though the database is put back to what it was earlier', async () => {
  const { pool } = postgres();
  const schema = newSchema();
  const stores = [postgresStore({ pool, schema }), postgresStore({ pool, schema })];
  await Promise.all(stores.map((store) => store.open()));
  const [writer, other] = [stores[0]!, stores[1]!];
  await writer.appendEvents([event('a'), event('a'), event('a')]);
  await writer.events.number(9);
  await other.events.head();
  await putBack(pool, schema, 1);

  await other.appendEvents([event('b'), event('b')]);
  const [first, second] = await other.events.number(9);
  expect(first?.position).toBeGreaterThan(3);
  expect(second?.position).toBe(first!.position + 1);
  expect(await writer.events.read({ after: 3, limit: 9 })).toEqual([first, second]);
  // Whoever knows no more than is there goes on from there.
  await writer.appendEvents([event('c')]);
  expect((await writer.events.number(9))[0]?.position).toBe(second!.position + 1);
  await Promise.all(stores.map((store) => store.close()));
});

it('has subscribers that have gone beyond the end of a restored log hear what comes next', async () => {
  const { pool } = postgres();
  const schema = newSchema();
  const infra = createMCPInfra({ providers: [fakeProvider()], store: postgresStore({ pool, schema }) });
  onTestFinished(async () => {
    await infra.stop();
  });
  await infra.start();
  const handled: string[] = [];
  const listened: string[] = [];
  await infra.events.subscribe(
    { group: 'audit', from: 'beginning', types: ['MCPServerCreated'] },
    ({ data }) => {
      handled.push(data.definition?.name ?? '');
    },
  );
  infra.events.on('MCPServerCreated', ({ data }) => {
    listened.push(data.definition?.name ?? '');
  });
  const register = (name: string) => infra.servers.register({ name, dockerImageUrl: 'mcp/a' });
  for (const name of ['one', 'two', 'three']) await register(name);
  await vi.waitFor(() => expect(handled).toHaveLength(3), 20_000);
  await putBack(pool, schema, 0);
  await register('four');
  await vi.waitFor(() => {
    expect(handled.at(-1)).toBe('four');
    expect(listened.at(-1)).toBe('four');
  }, 20_000);
}, 60_000);
