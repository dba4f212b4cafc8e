import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createMCPInfra, type MCPServerInstance } from '@mcpinfra/core';
import { fakeProvider } from '@mcpinfra/core/testing';
import { postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { expect, it, onTestFinished } from 'vitest';
import { newSchema, startTestPostgres } from './support/postgres.js';

const postgres = serviceOrSkip(startTestPostgres);

it('brings the instances of a host that was killed up again, once its leases have run out', async () => {
  const { pool, url } = postgres();
  const schema = newSchema();
  const program = join(import.meta.dirname, 'fixtures/host.mjs');
  const host = spawn(process.execPath, [program, url, schema], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    host.kill('SIGKILL');
  });
  const line = await new Promise<string>((resolve) => createInterface(host.stdout).once('line', resolve));
  const before = JSON.parse(line) as MCPServerInstance;
  expect(before).toMatchObject({ name: 'kept', status: 'running' });
  const ended = once(host, 'exit');
  host.kill('SIGKILL');
  await ended;

  const infra = createMCPInfra({
    providers: [fakeProvider({ tools: { echo: (given) => given } })],
    store: postgresStore({ pool, schema }),
  });
  onTestFinished(async () => {
    await infra.stop();
  });
  const heard: number[] = [];
  infra.events.on('MCPServerInstanceStatusChanged', ({ position }) => {
    heard.push(position);
  });
  await infra.start();
  expect((await infra.instances.list()).items).toMatchObject([{ id: before.id, slug: before.slug }]);
  const after = await infra.instances.waitFor(
    before.id,
    ({ resourceVersion, status }) => resourceVersion > before.resourceVersion && status === 'running',
    { signal: AbortSignal.timeout(60_000) },
  );
  expect(after.slug).toBe(before.slug);
  expect(await infra.instances.callTool(before.id, 'echo', { text: 'again' })).toBeDefined();
  // What happened goes on in the same log.
  expect(Math.min(...heard)).toBeGreaterThan(1);
}, 90_000);
