import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { expect, it, onTestFinished, vi } from 'vitest';
import { newSchema, poolAt, startTestPostgres } from './support/postgres.js';

const postgres = serviceOrSkip(startTestPostgres);

const ready = Buffer.from('Z\0\0\0\x05I');

/** As a server says it whose postmaster was killed. */
function goodbye(): Buffer {
  const fields = Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0');
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

it('outlives connections that the server admits and ends in one packet', async () => {
  const { port } = new URL(postgres().url);
  let isEnding = false;
  let ended = 0;
  const proxy = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1');
    const close = (): void => {
      client.destroy();
      server.destroy();
    };
    client.on('error', close).on('close', close);
    server.on('error', close).on('close', close);
    client.pipe(server);
    let isAdmitted = false;
    server.on('data', (chunk: Buffer) => {
      const admits = !isAdmitted && chunk.subarray(-ready.length).equals(ready);
      isAdmitted ||= admits;
      if (admits && isEnding) ended += 1;
      client.write(admits && isEnding ? Buffer.concat([chunk, goodbye()]) : chunk);
    });
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port: at } = proxy.address() as { readonly port: number };
  const pool = poolAt(`postgres://postgres@127.0.0.1:${String(at)}/postgres`);
  const store = postgresStore({ pool, schema: newSchema() });
  await store.open();
  onTestFinished(async () => {
    await store.close();
    await pool.end();
    proxy.close();
  });
  const uncaught = vi.fn();
  process.once('uncaughtException', uncaught);
  isEnding = true;
  // More than are idle, so that new ones are made.
  const asked = await Promise.allSettled(Array.from({ length: 8 }, () => store.events.head()));
  isEnding = false;
  expect(ended).toBeGreaterThan(0);
  expect(asked.filter(({ status }) => status === 'rejected').length).toBeLessThanOrEqual(ended);
  expect(uncaught).not.toHaveBeenCalled();
  process.removeListener('uncaughtException', uncaught);
  expect(await store.events.head()).toBe(0);
}, 30_000);
