import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  fixtureServer,
  seedImages,
  startDockerEngine,
  startExternalServer,
  type ExternalServer,
} from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { startApp, type Answer, type RunningApp } from './running-app.js';

const everything = fileURLToPath(
  import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
);
const untilMs = { timeout: 20_000, interval: 20 };

let app: RunningApp;
const ask = (...args: Parameters<RunningApp['ask']>): Promise<Answer> => app.ask(...args);

const everythingAs = (name: string, more: object = {}): object => ({
  name,
  json_spec: { type: 'process', command: ['node', everything] },
  ...more,
});

async function created(body: object): Promise<string> {
  const { status, body: instance } = await ask('POST', '/instances?wait=true', body);
  expect(status, JSON.stringify(instance)).toBe(201);
  return instance.id;
}

describe('an Express service that owns a fleet', () => {
  let external: ExternalServer;

  beforeAll(async () => {
    external = await startExternalServer();
    app = await startApp({ DOCKER_SOCKET: '/nowhere/docker.sock', ALLOWED_ADDRESSES: 'loopback' });
  });
  afterAll(async () => {
    app.kill();
    await external.stop();
  });

  it('takes a server and an instance from their creation to their end', async () => {
    const seen = await app.events();
    const server = await ask('POST', '/servers', {
      name: 'everything',
      env_schema: [{ name: 'API_KEY', secret: true }],
    });
    expect(server.status).toBe(201);
    expect(server.body).toMatchObject({ name: 'everything', docker_image_url: null, is_public: false });
    expect(server.headers.get('location')).toBe(`/servers/${server.body.id}`);

    const apiKey = `key-${randomUUID()}`;
    const id = await created({
      name: 'everything 1',
      server_spec_id: server.body.id,
      labels: { team: 'a' },
      json_spec: { type: 'process', command: ['node', everything], environment: { API_KEY: apiKey } },
    });
    const instance = await ask('GET', `/instances/${id}`);
    expect(instance.body).toMatchObject({
      status: 'running',
      desired_state: 'running',
      status_detail: { restart_count: 0 },
      json_spec: {
        environment: {
          API_KEY: expect.stringMatching(
            `^secret_ref:instance_${id}:environment\\.API_KEY\\.[\\w-]+$`,
          ) as unknown,
        },
      },
    });

    const tools = await ask('GET', `/instances/${id}/tools`);
    expect(tools.body.items.map((tool) => tool.name)).toContain('get-sum');
    const sum = await ask('POST', `/instances/${id}/tools/get-sum`, { a: 19, b: 23 });
    expect(sum).toMatchObject({ status: 200, body: { content: [{ text: 'The sum of 19 and 23 is 42.' }] } });

    const logs = await ask('GET', `/instances/${id}/logs?tail=5`);
    expect(logs.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    const lines = logs.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toContainEqual(
      expect.objectContaining({ stream: 'stderr', text: expect.any(String) as string }),
    );

    const stopped = await ask('POST', `/instances/${id}/stop?wait=true`);
    expect(stopped.body).toMatchObject({ status: 'stopped', desired_state: 'stopped' });
    const refused = await ask('POST', `/instances/${id}/tools/get-sum`, { a: 1, b: 2 });
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'INSTANCE_STOPPED' } } });
    const started = await ask('POST', `/instances/${id}/start?wait=true`);
    expect(started.body).toMatchObject({ status: 'running' });

    const used = await ask('DELETE', `/servers/${server.body.id}`);
    expect(used).toMatchObject({ status: 409, body: { error: { code: 'SERVER_IN_USE' } } });
    expect((await ask('DELETE', `/instances/${id}?wait=true`)).status).toBe(204);
    expect((await ask('DELETE', `/servers/${server.body.id}`)).status).toBe(204);
    expect((await ask('GET', `/instances/${id}`)).status).toBe(404);
    expect(app.children()).toEqual([]);

    await vi.waitUntil(() => seen.some(({ event }) => event === 'MCPServerDeleted'), untilMs);
    const told = seen.filter(({ data }) => data.subject === id || data.subject === server.body.id);
    expect(
      told.map(({ event, data }) =>
        event === 'MCPServerInstanceStatusChanged' ? String(data.data['to']) : event,
      ),
    ).toEqual([
      'MCPServerCreated',
      'MCPServerInstanceCreated',
      'starting',
      'running',
      'MCPServerInstanceStopped',
      'stopping',
      'stopped',
      'MCPServerInstanceStarted',
      'pending',
      'starting',
      'running',
      'MCPServerInstanceDeleted',
      'deleting',
      'MCPServerInstanceRemoved',
      'MCPServerDeleted',
    ]);
    expect(seen.map(({ id }) => id)).toEqual(seen.map(({ id }) => id).toSorted((a, b) => a - b));
    // Who connects again hears what came after the event that he had last.
    const [, second, ...rest] = seen;
    const again = await app.events(second?.id);
    await vi.waitUntil(() => again.length >= rest.length, untilMs);
    expect(again.map(({ id }) => id)).toEqual(rest.map(({ id }) => id));
    expect(told.find(({ event }) => event === 'MCPServerInstanceCreated')?.data.data).toMatchObject({
      server_spec_id: server.body.id,
      json_spec: { type: 'process' },
    });
    expect(JSON.stringify(seen) + app.output()).not.toContain(apiKey);
  });

  it('reaches a server that runs elsewhere', async () => {
    const json_spec = { type: 'url', endpoint: `${external.origin}/mcp` };
    const id = await created({ name: 'external', json_spec });
    const answer = await ask('POST', `/instances/${id}/tools/echo`, { text: 'hello' });
    expect(answer.body).toMatchObject({ content: [{ type: 'text', text: 'hello' }] });
    const logs = await ask('GET', `/instances/${id}/logs`);
    expect(logs).toMatchObject({ status: 400, body: { error: { code: 'CAPABILITY_UNSUPPORTED' } } });
    await ask('DELETE', `/instances/${id}?wait=true`);
  });

  it('lists by filters, in pages', async () => {
    const server = await ask('POST', '/servers', { name: 'listed', tags: ['files'] });
    for (const name of ['a', 'b', 'c'])
      await ask(
        'POST',
        '/instances',
        everythingAs(name, {
          server_spec_id: server.body.id,
          labels: { letter: name, 'kind.of': 'letter' },
          desired_state: 'stopped',
        }),
      );
    const named = async (query: string): Promise<string[]> => {
      const { body } = await ask('GET', `/instances?${query}`);
      return body.items.map(({ name }) => name);
    };
    expect(await named('label.kind.of=letter')).toEqual(['a', 'b', 'c']);
    expect(await named('label.letter=b&tag=files')).toEqual(['b']);
    expect(await named('status=running')).not.toContain('a');
    expect(await named(`status=running&status=stopped&server_spec_id=${server.body.id}`)).toHaveLength(3);
    expect(await named('type=docker')).toEqual([]);

    const first = await ask('GET', '/instances?limit=2');
    expect(first.body.items).toHaveLength(2);
    const second = await ask('GET', `/instances?limit=2&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({ items: [{ name: 'c' }], next_cursor: null });
    expect((await ask('GET', '/instances?limit=two')).body.error.code).toBe('INVALID_ARGUMENT');
    expect((await ask('GET', '/servers?tag=files')).body.items).toMatchObject([{ name: 'listed' }]);
    await ask('DELETE', `/servers/${server.body.id}?cascade=true&wait=true`);
  });

  it('answers bad input with every issue and where it is', async () => {
    const { status, body } = await ask('POST', '/instances', {
      nmae: 'x',
      name: '',
      json_spec: { type: 'process', command: ['x'], port: 'eighty', comand: ['y'] },
      server_spec_id: 7,
    });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      code: 'INVALID_SPEC',
      retryable: false,
      remedy: expect.any(String) as string,
    });
    const pointers = body.error.issues.map(({ path }) => path);
    expect(pointers.toSorted()).toEqual([
      '/json_spec/comand',
      '/json_spec/port',
      '/name',
      '/nmae',
      '/server_spec_id',
    ]);
    const unknown = body.error.issues.find(({ path }) => path === '/json_spec/comand');
    expect(unknown?.message).toContain('Did you mean "command"?');
  });

  it('says without changing anything what is wrong, and what an update would do', async () => {
    const plan = await ask(
      'POST',
      '/instances/plan',
      everythingAs('planned', { json_spec: { type: 'prozess' } }),
    );
    expect(plan.body).toMatchObject({
      valid: false,
      issues: [{ path: '/json_spec/type' }],
      secrets_in_clear: [],
    });
    const { body } = await ask('POST', '/instances', everythingAs('planned', { desired_state: 'stopped' }));
    const change = { json_spec: { environment: { LOG_LEVEL: 'debug' } } };
    const update = await ask('POST', `/instances/${body.id}/plan`, change);
    expect(update.body).toMatchObject({ valid: true, effect: 'start-later' });
    expect((await ask('PATCH', `/instances/${body.id}`, change)).body).toMatchObject({
      ...change,
      generation: 2,
    });
    await ask('DELETE', `/instances/${body.id}?wait=true`);
  });

  it.each([
    ['GET', '/instances/nobody', 404, 'NOT_FOUND'],
    ['PATCH', '/servers/nobody', 404, 'NOT_FOUND'],
    ['POST', '/instances/nobody/tools/echo', 404, 'NOT_FOUND'],
    ['GET', '/instances/nobody/logs', 404, 'NOT_FOUND'],
    ['GET', '/nowhere', 404, 'NOT_FOUND'],
    ['POST', '/nowhere?a=b', 404, 'NOT_FOUND'],
  ])('answers %s %s with %i %s as JSON', async (method, path, status, code) => {
    expect(await ask(method, path)).toMatchObject({ status, body: { error: { code } } });
  });

  it('answers a body that is no JSON, and one that is too large', async () => {
    const headers = { 'content-type': 'application/json' };
    const broken = await ask('POST', '/servers', undefined, { headers, body: '{"name":' });
    expect(broken).toMatchObject({ status: 400, body: { error: { code: 'INVALID_ARGUMENT' } } });
    const large = await ask('POST', '/servers', { name: 'x'.repeat(2 ** 20) });
    expect(large).toMatchObject({ status: 413, body: { error: { code: 'INVALID_ARGUMENT' } } });
  });

  it('creates once for one idempotency key', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = everythingAs('once', { desired_state: 'stopped' });
    const answers = await Promise.all(
      [1, 2, 3].map(async () => ask('POST', '/instances', body, { headers })),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    await ask('DELETE', `/instances/${answers[0]!.body.id}?wait=true`);
  });

  it('cancels a tool call whose client goes away', async () => {
    const id = await created({
      name: 'sleeper',
      json_spec: { type: 'process', command: ['node', fixtureServer, '--stdio'] },
    });
    const cancellations = async (): Promise<string> =>
      (await ask('POST', `/instances/${id}/tools/cancellations`, {})).body.content[0]!.text;
    const before = await cancellations();
    const leaving = new AbortController();
    const call = ask('POST', `/instances/${id}/tools/sleep`, { ms: 60_000 }, { signal: leaving.signal });
    await ask('POST', `/instances/${id}/tools/echo`, { text: 'the call before this one has arrived' });
    leaving.abort();
    await expect(call).rejects.toThrow();
    await vi.waitUntil(async () => (await cancellations()) !== before, untilMs);
    await ask('DELETE', `/instances/${id}?wait=true`);
  });

  it('tells its health, with the engine that is away', async () => {
    const health = await ask('GET', '/health');
    expect(health).toMatchObject({
      status: 200,
      body: { status: 'degraded' },
    });
    expect(Reflect.get(health.body, 'degraded')).toContainEqual(
      expect.objectContaining({ part: 'provider:docker' }),
    );
    const { items } = (await ask('GET', '/doctor')).body;
    expect(items).toContainEqual(expect.objectContaining({ ok: false }));
    expect(items).toContainEqual(expect.objectContaining({ ok: true }));
  });
});

describe('an Express service that is asked to end', () => {
  beforeEach(async () => {
    app = await startApp({ DOCKER_SOCKET: '/nowhere/docker.sock' });
  });
  afterEach(() => app.kill());

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends well at %s, with its servers, while clients listen to events and follow a log',
    async (signal) => {
      await app.events();
      const id = await created(everythingAs('left running'));
      const following = await fetch(`${app.url}/instances/${id}/logs?follow=true`);
      expect(following.status).toBe(200);
      expect(app.children()).not.toEqual([]);
      expect(await app.end(signal), app.output()).toBe(0);
      expect(app.children()).toEqual([]);
    },
  );

  it('lets a call that is under way end', async () => {
    const json_spec = { type: 'process', command: ['node', fixtureServer, '--stdio'] };
    const id = await created({ name: 'sleeper', json_spec });
    const call = ask('POST', `/instances/${id}/tools/sleep`, { ms: 1_000 });
    await ask('POST', `/instances/${id}/tools/echo`, { text: 'the call before this one has arrived' });
    expect(await app.end('SIGTERM'), app.output()).toBe(0);
    expect(await call).toMatchObject({ status: 200, body: { content: [{ type: 'text' }] } });
  });
});

describe('an Express service with a container engine', () => {
  const engine = serviceOrSkip(async () => {
    const started = await startDockerEngine();
    await seedImages(started, ['mcp/everything:latest']);
    return started;
  });

  it('runs a server in a container, which ends with the service', async () => {
    app = await startApp({ DOCKER_SOCKET: engine().socketPath });
    const id = await created({
      name: `everything ${randomUUID()}`,
      json_spec: { type: 'docker', image: 'mcp/everything:latest' },
    });
    const sum = await ask('POST', `/instances/${id}/tools/get-sum`, { a: 19, b: 23 });
    expect(sum.body).toMatchObject({ content: [{ text: 'The sum of 19 and 23 is 42.' }] });
    expect(await app.end('SIGTERM'), app.output()).toBe(0);
  });
});
