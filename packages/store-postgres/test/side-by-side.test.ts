import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { createMCPInfra, type Event } from '@mcpinfra/core';
import { fakeProvider } from '@mcpinfra/core/testing';
import { postgresSecrets, postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { newSchema, startTestPostgres } from './support/postgres.js';
import { newKey } from './support/secrets.js';

// Leases of who is gone are void by then, with time to spare on a busy machine.
const within = { timeout: 60_000, interval: 100 };

const postgres = serviceOrSkip(startTestPostgres);

/** What of a release is run here; its types are those of today. */
interface Release {
  readonly createMCPInfra: typeof createMCPInfra;
  readonly fakeProvider: typeof fakeProvider;
  readonly postgresSecrets: typeof postgresSecrets;
  readonly postgresStore: typeof postgresStore;
}

const current: Release = { createMCPInfra, fakeProvider, postgresSecrets, postgresStore };
// In the package, so that it finds what it depends on.
const folder = join(import.meta.dirname, '../node_modules/.release-before', String(process.pid));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The release before, as it was packed by scripts/keep-release.mjs. */
async function before(): Promise<Release> {
  const packed = await readFile(join(import.meta.dirname, 'fixtures/release-before.mjs.gz'));
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'release-before.mjs');
  await writeFile(file, gunzipSync(packed));
  return (await import(pathToFileURL(file).href)) as Release;
}

/** A host of one release on a schema, which works until the test is over. */
async function host(
  release: Release,
  at: { readonly schema: string; readonly key: Uint8Array; readonly actor: string },
) {
  const { pool } = postgres();
  const { schema, key, actor } = at;
  const keys = { current: 'a', keys: { a: key } };
  const infra = release.createMCPInfra({
    providers: [release.fakeProvider()],
    store: release.postgresStore({ pool, schema }),
    secrets: [release.postgresSecrets({ pool, schema, keys })],
  });
  await infra.start();
  const stop = async (): Promise<void> => {
    await infra.stop();
  };
  onTestFinished(stop);
  const heard: Event[] = [];
  await infra.events.subscribe({ group: actor, from: 'beginning' }, (event) => void heard.push(event));
  return { infra, heard, stop, actor };
}

type Host = Awaited<ReturnType<typeof host>>;

describe('two releases on one database', () => {
  it.each([
    ['the later one is first', true],
    ['the earlier one is first', false],
  ])(
    'both make, change, hear and take over what the other made: %s',
    async (_, laterFirst) => {
      const at = { schema: newSchema(), key: newKey() };
      const earlier = await before();
      const order = laterFirst ? [current, earlier] : [earlier, current];
      const hosts: Host[] = [];
      for (const [i, release] of order.entries())
        hosts.push(await host(release, { ...at, actor: `host-${String(i)}` }));
      const names = new Set<string>();
      await Promise.all(
        hosts.map(async ({ infra, actor }) => {
          const server = await infra.servers.register({ name: `of-${actor}`, dockerImageUrl: 'mcp/test' });
          for (let i = 0; i < 8; i += 1) {
            const name = `${actor}-${String(i)}`;
            names.add(name);
            const jsonSpec = {
              type: 'docker',
              image: 'mcp/test',
              environment: { API_KEY: `canary-${name}` },
            } as const;
            await infra.instances.create({ name, serverSpecId: server.id, jsonSpec }, { actor });
          }
        }),
      );
      const areRunning = (count: number) =>
        vi.waitFor(async () => {
          for (const { infra } of hosts)
            expect(await infra.instances.count({ status: 'running' })).toBe(count);
        }, within);
      await areRunning(16);
      // Each changes, with a secret, and removes what the other made.
      await Promise.all(
        hosts.map(async ({ infra, actor }) => {
          const others = (await infra.instances.list({ limit: 100 })).items.filter(
            ({ name }) => !name.startsWith(actor),
          );
          expect(others).toHaveLength(8);
          await Promise.all(
            others.slice(1).map(({ id }) => infra.environment.rotate(id, 'API_KEY', `canary-2-${id}`)),
          );
          await infra.instances.delete(others[0]?.id ?? '', { wait: true });
        }),
      );
      await areRunning(14);
      // Both have heard everything once.
      await vi.waitFor(async () => {
        const [one = [], other = []] = hosts.map(({ heard }) => heard.map(({ position }) => position));
        expect(one).toEqual(other);
        expect(new Set(one).size).toBe(one.length);
        const made = hosts[0]?.heard.filter(({ type }) => type === 'MCPServerInstanceCreated') ?? [];
        expect(made).toHaveLength(names.size);
      }, within);
      // Who was there first goes, as in an upgrade, and the other one has everything.
      await hosts.shift()?.stop();
      const [left] = hosts;
      await vi.waitFor(async () => {
        const { items } = (await left?.infra.instances.list({ status: 'running', limit: 100 })) ?? {
          items: [],
        };
        expect(items).toHaveLength(14);
        for (const { id } of items) expect((await left?.infra.instances.tools(id)) ?? null).not.toBeNull();
      }, within);
    },
    240_000,
  );
});
