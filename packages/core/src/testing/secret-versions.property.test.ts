import fc from 'fast-check';
import { fakeProvider, manualClock, type ManualClock } from '@mcpinfra/core/testing';
import { expect, it } from 'vitest';
import { createMCPInfra, memoryStore } from '../index.js';
import {
  type InstanceRecord,
  mcpError,
  renderReferences,
  scanReferences,
  secretId,
  type Store,
} from '../plugin.js';
import { openSecrets } from './open-secrets.fixture.js';

const names = ['a', 'b'] as const;
const faults = ['ok', 'ok', 'fails', 'hangs', 'answers after commit', 'hangs after commit'] as const;
type Fault = (typeof faults)[number];

const step = fc.record({
  name: fc.constantFrom(...names),
  what: fc.constantFrom(
    ...([
      'create',
      'ensure',
      'update',
      'set',
      'rotate',
      'unset',
      'delete',
      'restart',
      'stop',
      'start',
    ] as const),
    ...(['failingUpdate', 'failingUpdate', 'crash', 'nothing'] as const),
  ),
  value: fc.constantFrom('canary-1', 'canary-2', 'canary-3'),
  fault: fc.constantFrom(...faults),
  aborts: fc.boolean(),
  thenMs: fc.constantFrom(0, 0, 1_000, 12_000, 35_000, 70_000),
});

const tools = {
  env: (_args: unknown, { environment }: { readonly environment: Readonly<Record<string, string>> }) =>
    environment,
};

it('makes every wish true or refuses it, and keeps the values of every generation that may come back and no others, however writes of rows end', async () => {
  await loadWhatIsLoadedOnFirstUse();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const clock = manualClock();
      const rows = memoryStore({ clock });
      const next: Fault[] = [];
      const { store: secrets, values } = openSecrets();
      const provider = fakeProvider({ clock, tools });
      const store = faulty(rows, () => next.shift() ?? 'ok');
      const infra = createMCPInfra({ providers: [provider], secrets: [secrets], store, clock });
      await infra.start();
      const { instances, environment } = infra;
      const background: Promise<unknown>[] = [];
      const check = async () => {
        for (const row of await allRows(rows))
          for (const id of namedBy(row)) expect(values.has(id), `${row.name} names ${id}`).toBe(true);
      };
      for (const { name, what, value, fault, aborts, thenMs } of steps) {
        const id = (await rows.instances.list({ name, limit: 1 })).items[0]?.id ?? 'none';
        const jsonSpec = { type: 'docker', image: 'mcp/test', environment: { API_KEY: value } } as const;
        const ending = new AbortController();
        const options = { signal: ending.signal };
        next.splice(0, Infinity, fault);
        const command = {
          create: () => instances.create({ name, jsonSpec }, options),
          ensure: () => instances.ensure({ name, jsonSpec }, options),
          update: () => instances.update(id, { jsonSpec }, options),
          set: () => environment.set(id, 'EXTRA', value, { ...options, secret: true }),
          rotate: () => environment.rotate(id, 'API_KEY', value, options),
          unset: () => environment.delete(id, 'EXTRA', options),
          delete: () => instances.delete(id, options),
          restart: () => instances.restart(id, options),
          stop: () => instances.stop(id, options),
          start: () => instances.start(id, options),
          failingUpdate: () => {
            provider.failNextStart('IMAGE_NOT_FOUND');
            return instances.update(id, { jsonSpec }, options);
          },
          crash: async () => provider.crash(name),
          nothing: async () => undefined,
        }[what];
        // A command may be refused, by what was deleted or stopped meanwhile, or by the store.
        background.push(command().catch(() => undefined));
        if (aborts) {
          await new Promise((resolve) => setImmediate(resolve));
          ending.abort();
        }
        await pass(clock, thenMs);
        await check();
      }
      next.splice(0);
      await pass(clock, 400_000);
      await Promise.all(background);
      await check();
      const kept = await allRows(rows);
      for (const row of kept) {
        const { name, status, statusDetail, desiredState, runtime } = row;
        const isOver = row.observedGeneration === row.generation || runtime.refusedGeneration !== null;
        expect(isOver, `${name} is ${status}: ${statusDetail.message}`).toBe(true);
        // What cannot be so says why, and for how long.
        const isTrue = status === desiredState || (status === 'failed' && statusDetail.reason !== '');
        expect(isTrue, `${name} is to be ${desiredState} and is ${status}`).toBe(true);
        if (status !== 'running') continue;
        // Whatever was refused, the copy that serves has the values that its document names.
        const called = instances.callTool(row.id, 'env');
        await pass(clock, 1_000);
        const named = Object.entries(runtime.active?.spec.environment ?? {}).map(([variable, text]) => [
          variable,
          renderReferences(text, (reference) => values.get(secretId(reference)) ?? 'gone'),
        ]);
        expect((await called).structuredContent).toMatchObject(Object.fromEntries(named) as object);
      }
      const rowIds = new Set(kept.map((row) => row.id));
      expect(provider.copies().filter(({ copy }) => !rowIds.has(copy.instanceId))).toEqual([]);
      const named = new Set(kept.flatMap(namedBy));
      const strays = [...values.keys()].filter((id) => id.startsWith('instance_') && !named.has(id));
      expect(strays).toEqual([]);
      // What is said of writes stays only as long as an update may still be rolled back.
      const isOpen = kept.some((row) => namedBy(row).length > referencesIn(row.jsonSpec).length);
      const marks = [...values.keys()].filter((id) => id.startsWith('mcpinfra:WRITES.'));
      if (!isOpen) expect(marks).toEqual([]);
      const stopping = infra.stop();
      await pass(clock, 60_000);
      await stopping;
    }),
    { numRuns: 60 },
  );
}, 240_000);

/** Reading modules takes real time, in which the clock of a run goes on. */
async function loadWhatIsLoadedOnFirstUse(): Promise<void> {
  const infra = createMCPInfra({ providers: [fakeProvider()] });
  await infra.start();
  const jsonSpec = { type: 'docker', image: 'mcp/test', environment: { API_KEY: 'canary' } } as const;
  const { id } = await infra.instances.create({ name: 'warm-up', jsonSpec }, { wait: true });
  await infra.environment.rotate(id, 'API_KEY', 'canary-2', {});
  await infra.instances.waitUntilReady(id);
  await infra.stop();
}

/** A store whose writes of instances end as they are told. */
function faulty(store: Store, nextFault: () => Fault): Store {
  const ended = (signal: AbortSignal | undefined) =>
    new Promise<never>((_resolve, reject) => {
      const end = (): void => reject(mcpError('ABORTED', 'The signal ended the call.'));
      if (signal?.aborted === true) end();
      else signal?.addEventListener('abort', end, { once: true });
    });
  const write = async <T>(signal: AbortSignal | undefined, commit: () => Promise<T>): Promise<T> => {
    const fault = nextFault();
    if (fault === 'hangs') return ended(signal);
    if (fault === 'fails') throw mcpError('STORE_FAILED', 'The disk is gone.');
    const result = await commit();
    if (fault === 'hangs after commit') return ended(signal);
    if (fault === 'answers after commit') throw mcpError('STORE_FAILED', 'The connection is gone.');
    return result;
  };
  const writes: Partial<Store> = {
    createInstance: (row, effects, o) => write(o?.signal, () => store.createInstance(row, effects, o)),
    updateInstance: (row, effects, o) => write(o?.signal, () => store.updateInstance(row, effects, o)),
    deleteInstance: (row, effects, o) => write(o?.signal, () => store.deleteInstance(row, effects, o)),
  };
  return new Proxy(store, {
    get(target, key) {
      const own: unknown = Reflect.get(writes, key);
      const value: unknown = own ?? Reflect.get(target, key, target);
      return typeof value === 'function' && own === undefined ? (value.bind(target) as unknown) : value;
    },
  });
}

async function allRows(store: Store): Promise<readonly InstanceRecord[]> {
  return (await store.instances.list({ limit: 100 })).items;
}

/** The secrets of an instance that may be asked for: by what is wished, runs, or is about to. */
function namedBy({ jsonSpec, runtime }: InstanceRecord): string[] {
  if (runtime.deleteRequestedAt !== null) return [];
  const documents = [jsonSpec, runtime.active?.spec, runtime.candidate?.spec];
  return [...new Set(documents.flatMap((document) => referencesIn(document)))];
}

function referencesIn(document: unknown): string[] {
  if (typeof document === 'string')
    return scanReferences(document).references.map(({ scope, key }) => `${scope}:${key}`);
  return typeof document === 'object' && document !== null
    ? Object.values(document).flatMap(referencesIn)
    : [];
}

async function pass(clock: ManualClock, ms: number): Promise<void> {
  await clock.advance(0);
  for (let passedMs = 0; passedMs < ms; passedMs += 1_000)
    await clock.advance(Math.min(1_000, ms - passedMs));
}
