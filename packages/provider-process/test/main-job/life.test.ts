import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { memorySecrets, memoryStore } from '@mcpinfra/core';
import { parseSecretReference } from '@mcpinfra/core/plugin';
import { describe, expect, it } from 'vitest';
import {
  bearersOf,
  fixture,
  hostile,
  httpFixture,
  npmServer,
  soon,
  startHost,
  temporaryDirectory,
  textOf,
  until,
} from './support.js';

describe('the life of an instance', () => {
  it.each([
    ['stdio', { command: fixture() }],
    ['http', { command: httpFixture(), port: 'auto' as const }],
    ['http of the modern era', { command: httpFixture('--era', 'modern'), port: 'auto' as const }],
    ['stdio of the modern era', { command: fixture('--era', 'modern'), protocol_era: 'modern' as const }],
  ])('over %s: it comes up, is called, and is gone after its delete', async (_transport, spec) => {
    const { infra, fleet, events, create } = await startHost();
    const id = await create(spec);
    const ready = await infra.instances.waitUntilReady(id, soon());
    expect(ready).toMatchObject({
      status: 'running',
      statusDetail: { reason: '', health: { state: 'healthy' } },
    });
    expect((await infra.instances.tools(id)).map((tool) => tool.name)).toContain('echo');

    const client = await infra.instances.connect(id);
    expect(
      textOf((await client.callTool({ name: 'echo', arguments: { text: 'hello' } })) as never),
    ).toContain('hello');
    await client.close();
    expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'pooled' }))).toContain('pooled');
    expect(bearersOf(fleet)).not.toEqual([]);

    await infra.instances.delete(id, { wait: true });
    expect(bearersOf(fleet)).toEqual([]);
    expect((await infra.instances.list()).items).toEqual([]);
    await until(() => events.some((event) => event.type === 'MCPServerInstanceRemoved'));
    const steps = events.flatMap((e) => (e.type === 'MCPServerInstanceStatusChanged' ? [e.data.to] : []));
    expect(steps).toEqual(['starting', 'running', 'deleting']);
    expect(events.map((event) => event.position)).toEqual(events.map((_, i) => i + 1));
  });

  it.each([
    ['@modelcontextprotocol/server-everything', ['stdio'], 'echo', { message: 'hi' }, 'hi'],
    ['@modelcontextprotocol/server-filesystem', ['/'], 'list_allowed_directories', {}, '/'],
    ['@modelcontextprotocol/server-memory', [], 'read_graph', {}, 'entities'],
  ])('runs the real %s', async (name, args, tool, input, answer) => {
    const { infra, create } = await startHost();
    const id = await create({ command: npmServer(name, ...args) });
    await infra.instances.waitUntilReady(id, soon());
    expect(textOf(await infra.instances.callTool(id, tool, input))).toContain(answer);
  });

  it('gives a server the values of its references and leaves them nowhere else', async () => {
    const value = `canary-${Math.random().toString(36).slice(2)}`;
    const file = join(await temporaryDirectory(), 'store.json');
    const { infra, events, logger } = await startHost({
      store: memoryStore({ file, fleet: `test-${value.slice(7)}` }),
      secrets: [memorySecrets({ 'instance_123:API_KEY': value })],
    });
    const environment = {
      API_KEY: 'secret_ref:instance_123:API_KEY',
      URL: 'https://x/?k=${secret_ref:instance_123:API_KEY}',
    };
    const { id } = await infra.instances.create({
      name: 'a',
      jsonSpec: { type: 'process', command: fixture(), environment },
    });
    const leaky = await infra.instances.create({
      name: 'leaky',
      jsonSpec: { type: 'process', command: hostile('leak-secret'), environment },
    });
    const dying = await infra.instances.create({
      name: 'dying',
      jsonSpec: {
        type: 'process',
        command: [process.execPath, '-e', 'console.error(process.env); process.exit(4)'],
        environment,
      },
    });
    await infra.instances.waitUntilReady(id, soon());
    await infra.instances.waitUntilReady(leaky.id, soon());
    await infra.instances.waitFor(dying.id, 'failed', soon());
    expect(textOf(await infra.instances.callTool(id, 'env', { name: 'API_KEY' }))).toContain(value);
    expect(textOf(await infra.instances.callTool(id, 'env', { name: 'URL' }))).toContain(`?k=${value}`);
    const error: unknown = await infra.instances
      .callTool(leaky.id, 'no_such_tool')
      .catch((reason: unknown) => reason);

    const lines: string[] = [];
    for (const each of [id, leaky.id, dying.id]) {
      for await (const line of infra.instances.logs(each)) lines.push(line.text);
    }
    expect(lines.length).toBeGreaterThan(0);
    const surfaces = {
      store: await readFile(file, 'utf8'),
      events: JSON.stringify(events),
      logs: inspect(logger.lines, { depth: null }),
      lines: lines.join('\n'),
      get: inspect(await infra.instances.get(leaky.id), { depth: null }),
      list: inspect(await infra.instances.list(), { depth: null }),
      environment: inspect(await infra.environment.list(id), { depth: null }),
      export: JSON.stringify(await infra.export()),
      error: inspect(error, { depth: null }),
    };
    for (const [surface, text] of Object.entries(surfaces)) expect(text, surface).not.toContain(value);
    expect(surfaces.store).toContain('secret_ref:instance_123:API_KEY');
  });

  it('moves a secret given in clear to the secret store, and deletes it with the instance', async () => {
    const value = `canary-${Math.random().toString(36).slice(2)}`;
    const secrets = memorySecrets();
    const { infra, events } = await startHost({ secrets: [secrets] });
    const server = await infra.servers.register({
      name: 'fixture',
      envSchema: [{ name: 'DATABASE', secret: true }],
    });
    const created = await infra.instances.create({
      name: 'a',
      serverSpecId: server.id,
      jsonSpec: { type: 'process', command: fixture(), environment: { DATABASE: value } },
    });
    const reference = created.jsonSpec.environment?.['DATABASE'] ?? '';
    expect(reference).toMatch(
      new RegExp(`^secret_ref:instance_${created.id}:environment\\.DATABASE\\.`, 'u'),
    );
    await infra.instances.waitUntilReady(created.id, soon());
    expect(textOf(await infra.instances.callTool(created.id, 'env', { name: 'DATABASE' }))).toContain(value);
    expect(JSON.stringify(events)).not.toContain(value);

    const asked = parseSecretReference(reference) ?? expect.fail('no reference');
    const context = { instanceId: created.id, tenant: '', principal: null };
    expect((await secrets.resolve([asked], context)).size).toBe(1);
    await infra.instances.delete(created.id, { wait: true });
    expect((await secrets.resolve([asked], context)).size).toBe(0);
  });

  it('is running again after its process was killed, and says how it ended', async () => {
    const { infra, fleet, create } = await startHost();
    const id = await create({ command: fixture() });
    await infra.instances.waitUntilReady(id, soon());
    const [pid] = bearersOf(fleet, id);
    process.kill(pid ?? expect.fail('no process'), 'SIGKILL');
    const again = await infra.instances.waitFor(
      id,
      (instance) => instance.status === 'running' && instance.statusDetail.restartCount === 1,
      soon(),
    );
    expect(again.statusDetail.lastExit).toMatchObject({ signal: 'SIGKILL', exitCode: null });
    expect(bearersOf(fleet, id)).not.toContain(pid);
    expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'back' }))).toContain('back');
  });

  it('replaces the copy when its document changes, and keeps the old one when the new one fails', async () => {
    const { infra, fleet, create } = await startHost();
    const id = await create({ command: fixture(), environment: { COLOUR: 'red' } });
    await infra.instances.waitUntilReady(id, soon());
    const before = bearersOf(fleet, id);
    const updated = await infra.instances.update(
      id,
      { jsonSpec: { environment: { COLOUR: 'blue' } } },
      { wait: true, ...soon() },
    );
    expect(updated.observedGeneration).toBe(updated.generation);
    expect(textOf(await infra.instances.callTool(id, 'env', { name: 'COLOUR' }))).toContain('blue');
    await until(() => !bearersOf(fleet, id).some((pid) => before.includes(pid)));

    const serving = bearersOf(fleet, id);
    const broken = infra.instances.update(
      id,
      { jsonSpec: { command: ['no-such-command'] } },
      { wait: true, ...soon() },
    );
    await expect(broken).rejects.toMatchObject({ code: 'UPDATE_ROLLED_BACK' });
    expect(await infra.instances.get(id)).toMatchObject({
      status: 'running',
      statusDetail: { reason: 'UPDATE_ROLLED_BACK' },
    });
    expect(bearersOf(fleet, id)).toEqual(serving);
    expect(textOf(await infra.instances.callTool(id, 'env', { name: 'COLOUR' }))).toContain('blue');
  });

  it('stops, stays stopped, starts anew, sleeps unused and wakes on a call', async () => {
    const { infra, fleet, create } = await startHost({ resyncEveryMs: 200 });
    const id = await create({ command: fixture(), lifecycle: { start: 'on-demand', idle_timeout: 1 } });
    await infra.instances.waitUntilReady(id, soon());
    await infra.instances.waitFor(id, 'idle', soon());
    expect(bearersOf(fleet)).toEqual([]);
    expect((await infra.instances.tools(id)).length).toBeGreaterThan(0);
    const answers = await Promise.all(Array.from({ length: 10 }, () => infra.instances.callTool(id, 'pid')));
    expect(new Set(answers.map(textOf)).size).toBe(1);

    await infra.instances.stop(id, { wait: true, ...soon() });
    expect(bearersOf(fleet)).toEqual([]);
    await expect(infra.instances.callTool(id, 'echo', { text: 'x' })).rejects.toMatchObject({
      code: 'INSTANCE_STOPPED',
    });
    await infra.instances.start(id, { wait: true, ...soon() });
    expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'awake' }))).toContain('awake');
  });
});
