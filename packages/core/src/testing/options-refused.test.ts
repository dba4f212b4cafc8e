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

it('refuses unknown options and fields of filters by every call of instances, environment and infra', async () => {
  await using t = await createTestInfra();
  const { infra } = t;
  const { instances, environment } = infra;
  const { id } = await instances.create({ name: 'one', jsonSpec, desiredState: 'stopped' });
  const wrong = { ifVersion: 3 } as never;
  const input = { name: 'two', jsonSpec };
  const calls: Readonly<Record<string, () => unknown>> = {
    list: () => instances.list({ label: { a: 'b' } } as never),
    'list options': () => instances.list({}, wrong),
    all: () => instances.all({ label: { a: 'b' } } as never).next(),
    count: () => instances.count({ foo: 1 } as never),
    get: () => instances.get(id, wrong),
    create: () => instances.create(input, wrong),
    ensure: () => instances.ensure(input, wrong),
    update: () => instances.update(id, { description: 'x' }, wrong),
    delete: () => instances.delete(id, wrong),
    start: () => instances.start(id, wrong),
    stop: () => instances.stop(id, wrong),
    restart: () => instances.restart(id, wrong),
    checkSecrets: () => instances.checkSecrets(id, wrong),
    waitFor: () => instances.waitFor(id, 'stopped', wrong),
    waitUntilReady: () => instances.waitUntilReady(id, wrong),
    watch: () => instances.watch(id, wrong).next(),
    tools: () => instances.tools(id, wrong),
    logs: () => instances.logs(id, { lines: 3 } as never).next(),
    callTool: () => instances.callTool(id, 'x', {}, wrong),
    connect: () => instances.connect(id, wrong),
    'environment.set': () => environment.set(id, 'A', 'b', wrong),
    'environment.list': () => environment.list(id, wrong),
    'environment.delete': () => environment.delete(id, 'A', wrong),
    collect: () => infra.collect({ forced: true } as never),
    apply: () => infra.apply({}, { dry: true } as never),
    export: () => infra.export(wrong),
    stopInfra: () => infra.instances.stop(id, { graceMs: 3 } as never),
  };
  await t.settle();
  const before = t.recordedEvents().length;
  for (const [name, call] of Object.entries(calls))
    await expect(Promise.resolve().then(call), name).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await t.settle();
  expect(t.recordedEvents()).toHaveLength(before);
});

it('says what a misspelt option was meant to be', async () => {
  await using t = await createTestInfra();
  await expect(t.infra.instances.list({ label: {} } as never)).rejects.toThrow('labels');
});
