import { expect, it } from 'vitest';
import { createMCPInfra, memorySecrets } from '../index.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';

const jsonSpec = { type: 'docker', image: 'mcp/test' } as const;

/** Calls what a host in plain JavaScript calls, whatever the compiler would say. */
function untyped<T>(call: (value: never) => T): (value: unknown) => T {
  return call as (value: unknown) => T;
}

it.each([
  [undefined],
  [null],
  ['acme'],
  [{}],
  [{ tenant: undefined }],
  [{ tenant: null }],
  [{ tenant: 3 }],
  [{ tenant: ['a'] }],
  [{ tenant: { toString: () => 'a' } }],
  [{ tenant: '' }],
  [{ tenant: 'a/b' }],
  [{ tenent: 'acme' }],
  [{ tenant: 'acme', all: true }],
])('makes no scope of %j', async (options) => {
  await using t = await createTestInfra();
  const scope = untyped((value: never) => t.infra.scope(value));
  expect(() => scope(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error);
});

it.each([
  ['without options', undefined],
  ['null', null],
  ['a text', 'providers'],
  ['a provider that was not made', { providers: [fakeProvider] }],
  ['a provider that is missing', { providers: [undefined] }],
  ['an unknown deadline', { deadlines: { openMS: 3 } }],
  ['a deadline that is no time', { deadlines: { openMs: 'soon' } }],
  ['deadlines that are none', { deadlines: 5 }],
  ['a logger that cannot log', { logger: { info: () => undefined } }],
  ['a clock that cannot tell', { clock: {} }],
  ['secrets that are no list', { secrets: memorySecrets() }],
  ['a hole among the secrets', { secrets: [undefined] }],
  ['a store that is none', { store: 'fleet.json' }],
  ['a bus that is none', { events: {} }],
  ['limits that are none', { limits: 3 }],
  ['a yes that is no', { allowUnknownEnvironment: 'yes' }],
])('refuses %s', (_, options) => {
  const given =
    typeof options === 'object' && options !== null ? { providers: [fakeProvider()], ...options } : options;
  const make = untyped(createMCPInfra);
  expect(() => make(given)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error);
});

it('takes options that are left open', () => {
  const make = untyped(createMCPInfra);
  const open = { store: undefined, deadlines: undefined, secrets: undefined, clock: undefined };
  expect(() => make({ providers: [fakeProvider()], logger: console, ...open })).not.toThrow();
});

/** The names of what can be called on an object, by the names of its parts. */
function methodsOf(whole: object, within = ''): string[] {
  const prototype = Object.getPrototypeOf(whole) as object;
  const own = Object.getOwnPropertyNames(prototype).filter(
    (name) => name !== 'constructor' && typeof Reflect.get(whole, name) === 'function',
  );
  const parts = Object.entries(whole).filter(([, part]) => typeof part === 'object' && part !== null);
  return [
    ...own.map((name) => `${within}${name}`),
    ...parts.flatMap(([name, part]) => methodsOf(part as object, `${within}${name}.`)),
  ];
}

/** What takes no options. */
const without = new Set(['start', 'health', 'report', 'doctor', 'events.on']);

it('refuses unknown options and fields of filters by every method that there is', async () => {
  await using t = await createTestInfra();
  const { infra } = t;
  const { instances, servers, environment, events } = infra;
  const { id } = await instances.create({ name: 'one', jsonSpec, desiredState: 'stopped' });
  const { id: serverId } = await servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs' });
  const wrong = { ifVersion: 3 } as never;
  const input = { name: 'two', jsonSpec };
  const server = { name: 'other', dockerImageUrl: 'mcp/other' };
  const calls: Readonly<Record<string, () => unknown>> = {
    stop: () => infra.stop(wrong),
    apply: () => infra.apply({}, wrong),
    'apply document': () => infra.apply({ server: [] } as never),
    export: () => infra.export(wrong),
    scope: () => infra.scope({ tenant: 'a', ...(wrong as object) }),
    collect: () => infra.collect(wrong),
    'servers.register': () => servers.register(server, wrong),
    'servers.ensure': () => servers.ensure(server, wrong),
    'servers.get': () => servers.get(serverId, wrong),
    'servers.list': () => servers.list(wrong),
    'servers.list options': () => servers.list({}, wrong),
    'servers.all': () => servers.all(wrong).next(),
    'servers.all options': () => servers.all({}, wrong).next(),
    'servers.update': () => servers.update(serverId, { description: 'x' }, wrong),
    'servers.plan': () => servers.plan(serverId, {}, wrong),
    'servers.delete': () => servers.delete(serverId, wrong),
    'servers.environmentSchema': () => servers.environmentSchema(serverId, wrong),
    'instances.list': () => instances.list({ label: { a: 'b' } } as never),
    'instances.list options': () => instances.list({}, wrong),
    'instances.all': () => instances.all({ label: { a: 'b' } } as never).next(),
    'instances.all options': () => instances.all({}, wrong).next(),
    'instances.count': () => instances.count({ foo: 1 } as never),
    'instances.count options': () => instances.count({}, wrong),
    'instances.get': () => instances.get(id, wrong),
    'instances.create': () => instances.create(input, wrong),
    'instances.ensure': () => instances.ensure(input, wrong),
    'instances.update': () => instances.update(id, { description: 'x' }, wrong),
    'instances.delete': () => instances.delete(id, wrong),
    'instances.start': () => instances.start(id, wrong),
    'instances.stop': () => instances.stop(id, wrong),
    'instances.restart': () => instances.restart(id, wrong),
    'instances.checkSecrets': () => instances.checkSecrets(id, wrong),
    'instances.waitFor': () => instances.waitFor(id, 'stopped', wrong),
    'instances.waitUntilReady': () => instances.waitUntilReady(id, wrong),
    'instances.watch': () => instances.watch(id, wrong).next(),
    'instances.tools': () => instances.tools(id, wrong),
    'instances.logs': () => instances.logs(id, { lines: 3 } as never).next(),
    'instances.logs options': () => instances.logs(id, {}, wrong).next(),
    'instances.callTool': () => instances.callTool(id, 'x', {}, wrong),
    'instances.connect': () => instances.connect(id, wrong),
    'instances.clientConfig': () => instances.clientConfig(id, wrong),
    'instances.validate': () => instances.validate(input, wrong),
    'instances.plan': () => instances.plan({ create: input }, wrong),
    'environment.get': () => environment.get(id, 'A', wrong),
    'environment.set': () => environment.set(id, 'A', 'b', wrong),
    'environment.list': () => environment.list(id, wrong),
    'environment.delete': () => environment.delete(id, 'A', wrong),
    'environment.rotate': () => environment.rotate(id, 'A', 'b', wrong),
    'events.read': () => events.read(wrong).next(),
    'events.subscribe': () => events.subscribe({ group: 'g', ...(wrong as object) }, () => undefined),
    'events.groups.list': () => events.groups.list(wrong),
    'events.groups.seek': () => events.groups.seek('g', 'now', wrong),
    'events.groups.delete': () => events.groups.delete('g', wrong),
    'events.groups.deadLetters': () => events.groups.deadLetters('g', wrong),
    'events.groups.discard': () => events.groups.discard('g', 1, wrong),
  };
  const methods = methodsOf(infra);
  expect(methods).toEqual(expect.arrayContaining(['stop', 'instances.get', 'events.groups.seek']));
  // A method that is new has to be added.
  expect(methods.filter((name) => !without.has(name) && !Object.hasOwn(calls, name))).toEqual([]);
  await t.settle();
  const before = t.recordedEvents().length;
  for (const [name, call] of Object.entries(calls))
    await expect(Promise.resolve().then(call), name).rejects.toMatchObject({
      code: name === 'stop' ? 'INVALID_OPTIONS' : 'INVALID_ARGUMENT',
    });
  await t.settle();
  expect(t.recordedEvents()).toHaveLength(before);
});

it('says what a misspelt option was meant to be', async () => {
  await using t = await createTestInfra();
  await expect(t.infra.instances.list({ label: {} } as never)).rejects.toThrow('labels');
});
