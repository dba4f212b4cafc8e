import { createMCPInfra, memoryStore, Secret, type MCPInfraError } from '@mcpinfra/core';
import type { SecretStore } from '@mcpinfra/core/plugin';
import { recordingLogger } from '@mcpinfra/core/testing';
import { urlProvider } from '@mcpinfra/provider-url';
import { request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { failing, reach, ready, startInfra } from './support/fleet.js';
import { serve, startFixture } from './support/servers.js';

const value = 'canary/+&=?#%41 é';
const sent = encodeURIComponent(value);

/** A server that answers only to who has the key, and tells everybody what it was asked for. */
async function serveKeyed(isRight: (url: string) => boolean, status = 403) {
  const target = await startFixture();
  const asked: string[] = [];
  const server = await serve((incoming, response) => {
    const { method, headers, url = '' } = incoming;
    asked.push(url);
    if (!isRight(url)) {
      incoming.resume();
      response
        .writeHead(status, { 'content-type': 'text/plain' })
        .end(`no such thing as ${decodeURIComponent(url)} ${url}`);
      return;
    }
    const onward = request(target, { method, headers: { ...headers, host: target.host } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  return { ...server, asked };
}

it('sends a reference in the query of an endpoint resolved, in probes and calls, and shows it nowhere', async () => {
  const server = await serveKeyed((url) => url === `/mcp?a=1&key=${sent}`);
  const logger = recordingLogger();
  const infra = await startInfra({ secrets: { 'vault:KEY': value }, logger });
  const seen: unknown[] = [];
  infra.events.on('*', (event) => void seen.push(event));
  const endpoint = `${server.url.href}?a=1&key=\${secret_ref:vault:KEY}`;
  const instance = await ready(infra, { type: 'url', endpoint });
  expect(await infra.instances.callTool(instance.id, 'echo', { text: 'hi' })).toMatchObject({
    content: [{ text: expect.stringContaining('hi') as string }],
  });
  await using client = await infra.instances.connect(instance.id);
  expect((await client.listTools()).tools.length).toBeGreaterThan(0);
  expect(new Set(server.asked)).toEqual(new Set([`/mcp?a=1&key=${sent}`]));
  expect(instance).toMatchObject({ jsonSpec: { endpoint } });
  const shown = [seen, logger.lines, instance, await infra.export()];
  expectNowhere(shown);
});

it('sends one in the path, and resolves the path of a check against it', async () => {
  const server = await serveKeyed((url) => url === `/s/${sent}/mcp`);
  const infra = await startInfra({ secrets: { 'team/a:KEY': value } });
  const endpoint = new URL('/s/${secret_ref:team/a:KEY}/mcp', server.url).href
    .replaceAll('%7B', '{')
    .replaceAll('%7D', '}');
  const { id } = await ready(infra, { type: 'url', endpoint });
  await infra.instances.callTool(id, 'echo', { text: 'hi' });
  expect(new Set(server.asked)).toEqual(new Set([`/s/${sent}/mcp`]));
});

it.each([403, 404, 500, 200])(
  'says nothing of it where the server answers with status %i and repeats it',
  async (status) => {
    const server = await serveKeyed(() => false, status);
    const logger = recordingLogger();
    const store = memoryStore();
    const infra = await startInfra({ secrets: { 'vault:KEY': value }, logger, store });
    const seen: unknown[] = [];
    infra.events.on('*', (event) => void seen.push(event));
    const { id } = await infra.instances.create({
      name: 'remote',
      jsonSpec: { type: 'url', endpoint: `${server.url.href}?key=\${secret_ref:vault:KEY}` },
    });
    const instance = await reach(infra, id, ({ status }) => status === 'failed' || status === 'running');
    const error = await infra.instances
      .callTool(id, 'echo', { text: 'hi' }, { signal: AbortSignal.timeout(2_000) })
      .catch((thrown: unknown) => thrown as MCPInfraError);
    expect(server.asked).toContain(`/mcp?key=${sent}`);
    const told = error instanceof Error ? [error.message, error.stack, error.details] : error;
    expectNowhere([seen, logger.lines, instance, told, await store.instances.get(id)]);
  },
);

it('moves a key in clear to the secret store, and sends it', async () => {
  const server = await serveKeyed((url) => url === `/mcp?api_key=${sent}`);
  const store = memoryStore();
  const kept = new Map<string, string>();
  const infra = createMCPInfra({
    providers: [urlProvider({ allow: ['loopback'] })],
    secrets: [keeping(kept)],
    store,
  });
  await infra.start();
  onTestFinished(async () => {
    await infra.stop();
  });
  const jsonSpec = { type: 'url', endpoint: `${server.url.href}?api_key=${sent}` } as const;
  const { id, generation } = await ready(infra, jsonSpec);
  await infra.instances.callTool(id, 'echo', { text: 'hi' });
  expect([...kept.values()]).toContain(value);
  expectNowhere([await store.instances.get(id), await infra.instances.get(id), await infra.export()]);
  // The same again is the same, another is another, and the one before goes.
  expect(await infra.instances.ensure({ name: 'remote', jsonSpec })).toMatchObject({ generation });
  const updated = await infra.instances.update(id, {
    jsonSpec: { endpoint: `${server.url.href}?api_key=other-canary` },
  });
  expect(updated.generation).toBe(generation + 1);
  await infra.instances.delete(id, { wait: true });
  expect([...kept.values()].filter((one) => one.includes('canary'))).toEqual([]);
});

it('tells no other server, whatever addresses it is sent to', async () => {
  const stranger = await serve((incoming, response) => {
    asked.push(incoming.url ?? '');
    response.writeHead(500).end();
  });
  const asked: string[] = [];
  const server = await serve((incoming, response) => {
    incoming.resume();
    response.writeHead(307, { location: new URL('/?key=${secret_ref:vault:KEY}', stranger.url).href }).end();
  });
  const infra = await startInfra({ secrets: { 'vault:KEY': value } });
  await failing(infra, { type: 'url', endpoint: `${server.url.href}?key=\${secret_ref:vault:KEY}` });
  expectNowhere(['none', asked]);
});

function expectNowhere(shown: unknown): void {
  const text = JSON.stringify(shown);
  expect(text).toContain('"');
  for (const form of ['canary', sent, JSON.stringify(value).slice(1, -1)]) expect(text).not.toContain(form);
}

function keeping(values: Map<string, string>): SecretStore {
  const idOf = ({ scope, key }: { readonly scope: string; readonly key: string }): string =>
    `${scope}:${key}`;
  return {
    specificationVersion: 'v1',
    name: 'keeping',
    durable: false,
    resolve: async (references) =>
      new Map(
        references.flatMap((reference) => {
          const value = values.get(idOf(reference));
          return value === undefined ? [] : [[idOf(reference), new Secret(value)] as const];
        }),
      ),
    put: async (reference, secret) => void values.set(idOf(reference), secret.reveal()),
    delete: async (reference) => void values.delete(idOf(reference)),
    deleteScope: async (scope) => {
      for (const id of values.keys()) if (id.startsWith(`${scope}:`)) values.delete(id);
    },
  };
}
