import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MCPInfraError, memoryStore, type MCPInfraScope } from '../index.js';
import type { ContainerSpec, Store } from '../plugin.js';
import { createTestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';
import { openSecrets } from './open-secrets.fixture.js';

type Tenant = MCPInfraScope<ContainerSpec>;

/** What is asked for: it exists in another tenant, or never did. */
interface Asked {
  readonly instance: string;
  readonly server: string;
  readonly name: string;
}

const docker = { type: 'docker', image: 'mcp/test' } as const;
const signal = () => AbortSignal.timeout(5_000);

/** Every method of a tenant's API, called for what it may not see. One that is new has to be added here. */
const calls: Readonly<Record<string, (tenant: Tenant, asked: Asked) => unknown>> = {
  'servers.register': (t, { name }) => t.servers.register({ name, version: '9' }),
  'servers.ensure': (t, { name }) => t.servers.ensure({ name, description: 'of b' }),
  'servers.get': (t, { server }) => t.servers.get(server),
  'servers.list': (t, { name }) => t.servers.list({ name }),
  'servers.all': (t) => t.servers.all(),
  'servers.update': (t, { server }) => t.servers.update(server, { description: 'b' }, { rollout: 'rolling' }),
  'servers.plan': (t, { server }) => t.servers.plan(server, { description: 'b' }),
  'servers.delete': (t, { server }) => t.servers.delete(server, { cascade: true }),
  'servers.environmentSchema': (t, { server }) => t.servers.environmentSchema(server),
  'instances.types': (t) => t.instances.types,
  'instances.create': (t, { server }) =>
    t.instances.create({ name: 'of-server', serverSpecId: server, jsonSpec: docker }),
  'instances.ensure': (t, { name }) => t.instances.ensure({ name, jsonSpec: docker }),
  'instances.update': (t, { instance }) => t.instances.update(instance, { description: 'b' }),
  'instances.delete': (t, { instance }) => t.instances.delete(instance),
  'instances.get': (t, { instance }) => t.instances.get(instance),
  'instances.list': (t, { server }) => t.instances.list({ serverSpecId: server }),
  'instances.all': (t) => t.instances.all(),
  'instances.count': (t) => t.instances.count(),
  'instances.start': (t, { instance }) => t.instances.start(instance),
  'instances.stop': (t, { instance }) => t.instances.stop(instance),
  'instances.restart': (t, { instance }) => t.instances.restart(instance),
  'instances.checkSecrets': (t, { instance }) => t.instances.checkSecrets(instance),
  'instances.waitFor': (t, { instance }) => t.instances.waitFor(instance, 'running', { signal: signal() }),
  'instances.waitUntilReady': (t, { instance }) => t.instances.waitUntilReady(instance, { signal: signal() }),
  'instances.watch': (t, { instance }) => t.instances.watch(instance, { signal: signal() }),
  'instances.connect': (t, { instance }) => t.instances.connect(instance, { signal: signal() }),
  'instances.tools': (t, { instance }) => t.instances.tools(instance),
  'instances.callTool': (t, { instance }) => t.instances.callTool(instance, 'echo', {}, { signal: signal() }),
  'instances.logs': (t, { instance }) => t.instances.logs(instance),
  'instances.clientConfig': (t, { instance }) => t.instances.clientConfig(instance),
  'instances.validate': (t, { server }) =>
    t.instances.validate({ name: 'one', serverSpecId: server, jsonSpec: docker }),
  'instances.plan': (t, { instance }) => t.instances.plan({ update: instance, patch: { description: 'b' } }),
  'environment.set': (t, { instance }) => t.environment.set(instance, 'A', 'b'),
  'environment.get': (t, { instance }) => t.environment.get(instance, 'API_KEY'),
  'environment.list': (t, { instance }) => t.environment.list(instance),
  'environment.delete': (t, { instance }) => t.environment.delete(instance, 'API_KEY'),
  'environment.rotate': (t, { instance }) => t.environment.rotate(instance, 'API_KEY', 'of b'),
  'events.on': (t) => typeof t.events.on('*', () => undefined),
  'events.read': (t) => firstOf(t.events.read({ after: 'beginning', signal: signal() }), 1),
  'events.subscribe': async (t, { name }) => {
    const heard: unknown[] = [];
    const handler = (event: unknown) => void heard.push(event);
    const subscription = await t.events.subscribe({ group: name, from: 'beginning' }, handler);
    await subscription.close();
    return heard.filter((event) => JSON.stringify(event).includes('of-a'));
  },
  'events.groups.list': async (t) => (await t.events.groups.list()).filter(({ group }) => group === 'of-a'),
  'events.groups.seek': (t, { name }) => t.events.groups.seek(`${name}-only`, 'now'),
  'events.groups.delete': (t, { name }) => t.events.groups.delete(`${name}-only`),
  'events.groups.deadLetters': (t, { name }) => t.events.groups.deadLetters(`${name}-only`),
  'events.groups.discard': (t, { name }) => t.events.groups.discard(`${name}-only`, 1),
  apply: (t, { name }) =>
    t.apply({
      servers: [{ name, version: '7' }],
      instances: [{ name: `${name}-applied`, server: `${name}@7`, jsonSpec: docker }],
      prune: true,
    }),
  export: (t) => t.export(),
};

describe('two tenants', () => {
  it('have an API of which every method is asked here', async () => {
    await using t = await createTestInfra();
    const tenant = t.infra.scope({ tenant: 'b' });
    expect(methodsOf(tenant).sort()).toEqual(Object.keys(calls).sort());
  });

  it.each(Object.keys(calls))('%s tells, changes and counts nothing of the other', async (method) => {
    const [theirs, never] = [await fleet(), await fleet()];
    await using t = theirs.t;
    await using other = never.t;
    const before = await theirs.stateOfA();
    const told = await outcome(calls[method]?.(theirs.b, theirs.asked));
    const absent = await outcome(calls[method]?.(never.b, nothing));
    await t.settle();
    await other.settle();
    expect(normal(told, theirs.asked)).toEqual(normal(absent, nothing));
    expect(JSON.stringify(told ?? null).replaceAll(theirs.asked.name, '')).not.toMatch(/of-a|"tenant":"a"/u);
    expect(await theirs.stateOfA()).toEqual(before);
    // Not even what is written anew into the tenant itself is told of it.
    const seen = t.recordedEvents().filter(({ tenant }) => tenant === 'b');
    expect(JSON.stringify(seen)).not.toContain(theirs.asked.instance);
  });
});

const nothing: Asked = { instance: randomUUID(), server: randomUUID(), name: 'unheard-of' };

/** A fleet with something in tenant a, and nothing in tenant b but one instance of its own. */
async function fleet() {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const { store: secrets, values } = openSecrets();
  const t = await createTestInfra({ store, clock, secrets: [secrets], gatewayUrl: 'https://mcp.example' });
  const a = t.infra.scope({ tenant: 'a' });
  const b = t.infra.scope({ tenant: 'b' });
  const server = await a.servers.register({ name: 'of-a' });
  const instance = await a.instances.create({
    name: 'of-a',
    serverSpecId: server.id,
    jsonSpec: { ...docker, environment: { API_KEY: 'canary' } },
  });
  await b.instances.create({ name: 'own', jsonSpec: docker });
  for (const group of ['of-a', 'of-a-only'])
    await (await a.events.subscribe({ group }, () => undefined)).close();
  await t.settle();
  const stateOfA = async () => ({
    servers: (await store.servers.list({ tenant: 'a', limit: 10 })).items,
    instances: (await store.instances.list({ tenant: 'a', limit: 10 })).items,
    groups: await cursorsOf(store, 'a/'),
    events: t.recordedEvents().filter(({ tenant }) => tenant === 'a'),
    secrets: [...values].filter(([id]) => id.startsWith(`instance_${instance.id}:`)),
    copies: t.provider.copies().filter(({ copy }) => copy.instanceId === instance.id),
  });
  const asked = { instance: instance.id, server: server.id, name: 'of-a' };
  return { t, b, asked, stateOfA };
}

async function cursorsOf(store: Store, prefix: string) {
  return (await store.events.cursors(prefix)).map(({ group, position }) => [group, position]);
}

/** The paths of everything that can be called or read on a scope. */
function methodsOf(tenant: object): string[] {
  return [...namesOf(tenant)].flatMap((name) => {
    const value: unknown = Reflect.get(tenant, name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [name];
    return methodsOf(value).map((inner) => `${name}.${inner}`);
  });
}

function namesOf(value: object): Set<string> {
  const own = Object.getOwnPropertyNames(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || typeof prototype !== 'object' || prototype === null)
    return new Set(own);
  return new Set([...own, ...namesOf(prototype)].filter((name) => name !== 'constructor'));
}

/** How a call ended, in what can be compared: its answer, or its error. */
async function outcome(work: unknown): Promise<unknown> {
  try {
    const answer = await work;
    return isIterable(answer) ? await firstOf(answer, 10) : answer;
  } catch (error) {
    if (!MCPInfraError.isInstance(error)) throw error;
    return { code: error.code, message: error.message, details: error.details, retryable: error.retryable };
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

async function firstOf(items: AsyncIterable<unknown>, most: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const item of items) {
    seen.push(item);
    if (seen.length >= most) break;
  }
  return seen;
}

/** Without what is another one in each fleet. */
function normal(told: unknown, { instance, server, name }: Asked): unknown {
  if (told === undefined) return undefined;
  let text = JSON.stringify(told);
  for (const id of [instance, server]) text = text.replaceAll(id, '<asked>');
  text = text
    .replaceAll(name, '<name>')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu, '<id>')
    .replaceAll(/-[0-9a-f]{8}"/gu, '-<slug>"')
    .replaceAll(/memory-[0-9a-f-]+/gu, '<fleet>');
  return JSON.parse(text) as unknown;
}
