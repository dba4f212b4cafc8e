import { describe, expect, it } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { MCPServer } from '../domain/server/mcp-server.js';
import type { Store, StoreNews, StoreWriter } from '../ports/store.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { guardStore } from './guarded-store.js';

const server = {} as MCPServer;
const identity = { storeId: 's', fleet: 'f', durable: false };
const codeOf = (error: unknown) => (error as { code?: unknown }).code;
const forever = () => new Promise<never>(() => undefined);

/** A store whose methods all do the same, and that notes what was called with which signal. */
function uniform(method: (signal: AbortSignal | undefined) => Promise<unknown>) {
  const calls: { name: string; args: unknown[] }[] = [];
  const all = (prefix: string, names: string[]) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        (...args: unknown[]) => {
          calls.push({ name: prefix + name, args });
          return method((args.at(-1) as { signal?: AbortSignal }).signal);
        },
      ]),
    );
  const writer = all('', [
    'createServer',
    'updateServer',
    'deleteServer',
    'createInstance',
    'updateInstance',
    'deleteInstance',
    'appendEvents',
    'now',
  ]);
  const store = {
    specificationVersion: 'v1',
    open: async () => identity,
    close: async () => undefined,
    ...writer,
    ...all('', ['now']),
    servers: all('servers.', ['get', 'list']),
    instances: all('instances.', ['get', 'list', 'count']),
    events: all('events.', [
      'number',
      'read',
      'head',
      'cursor',
      'saveCursor',
      'setCursor',
      'cursors',
      'addDeadLetter',
      'deadLetters',
      'removeDeadLetter',
      'trim',
    ]),
    leases: all('leases.', ['acquire', 'renew', 'release', 'list']),
    counters: all('counters.', ['get', 'recount']),
    transaction: (work: (inner: StoreWriter) => Promise<unknown>) => work(writer as unknown as StoreWriter),
  } as unknown as Store;
  return { store, calls, tables: ['servers', 'instances', 'events', 'leases', 'counters'] as const };
}

async function setup(store: Store) {
  const clock = manualClock();
  const logger = recordingLogger();
  const guarded = guardStore(store, { clock, logger });
  const opened = await guarded.open();
  return { clock, logger, guarded, opened };
}

it('opens with the identity of the store', async () => {
  expect((await setup(uniform(forever).store)).opened).toBe(identity);
});

it('hands every method of every table on with its arguments, bounded by 10 s', async () => {
  const { store, calls, tables } = uniform(forever);
  const { clock, guarded } = await setup(store);
  const codes: unknown[] = [];
  let made = 0;
  const callAll = (part: object, skip: readonly string[] = []) => {
    for (const [name, member] of Object.entries(part)) {
      if (typeof member !== 'function' || skip.includes(name)) continue;
      const method = member as (...args: unknown[]) => Promise<unknown>;
      made++;
      method(...['one', 'two', {}].slice(3 - method.length)).catch((error: unknown) =>
        codes.push(codeOf(error)),
      );
    }
  };
  callAll(guarded, ['open', 'close', 'transaction']);
  for (const table of tables) callAll(guarded[table]);
  expect(made).toBe(30);
  expect(calls).toHaveLength(30);
  await clock.advance(9_999);
  expect(codes).toEqual([]);
  await clock.advance(1);
  expect(codes).toEqual(Array(30).fill('PLUGIN_TIMEOUT'));
  for (const { args } of calls) expect((args.at(-1) as { signal: AbortSignal }).signal.aborted).toBe(true);
});

it('calls failures of the backend what they are, and leaves the others as they are', async () => {
  const conflict = mcpError('CONFLICT', 'Another version.');
  let error: Error = new Error('ECONNRESET');
  const { guarded } = await setup(uniform(() => Promise.reject(error)).store);
  await expect(guarded.instances.get('i')).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: 'instances.get() of the store failed: ECONNRESET',
  });
  error = conflict;
  await expect(guarded.instances.get('i')).rejects.toBe(conflict);
});

describe('a transaction', () => {
  it('gives the result of its work', async () => {
    const written = { id: 's', resourceVersion: 3 };
    const { guarded } = await setup(uniform(async () => written).store);
    expect(await guarded.transaction((writer) => writer.createServer(server, { events: [] }))).toBe(written);
  });

  it('hands on an error of this library from its work, and calls any other one a defect', async () => {
    const { guarded } = await setup(uniform(async () => undefined).store);
    const conflict = mcpError('CONFLICT', 'Another version.');
    await expect(guarded.transaction(() => Promise.reject(conflict))).rejects.toBe(conflict);
    const slip = () => Promise.reject(new TypeError('undefined is not a function'));
    await expect(guarded.transaction(slip)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('fails as the store does when a write in it fails', async () => {
    const { guarded } = await setup(uniform(() => Promise.reject(new Error('disk full'))).store);
    await expect(guarded.transaction((writer) => writer.appendEvents([]))).rejects.toMatchObject({
      code: 'STORE_FAILED',
    });
  });

  it('writes nothing any more once it was given up', async () => {
    const { store, calls } = uniform(async () => undefined);
    const { clock, guarded } = await setup(store);
    let goOn!: () => void;
    let wrote: unknown;
    const expected = expect(
      guarded.transaction(async (writer) => {
        await new Promise<void>((resolve) => (goOn = resolve));
        wrote = await writer.appendEvents([]).catch((error: unknown) => error);
      }),
    ).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
    await clock.advance(30_000);
    await expected;
    goOn();
    await clock.advance(0);
    expect(wrote).toMatchObject({ code: 'PLUGIN_TIMEOUT' });
    expect(calls).toEqual([]);
  });
});

it('watches where the store can, and not while it is closed', async () => {
  const { store } = uniform(forever);
  expect((await setup(store)).guarded).not.toHaveProperty('watch');
  let tell: ((news: StoreNews) => void) | undefined;
  const { guarded, logger } = await setup({
    ...store,
    watch: (listener) => {
      tell = listener;
      return () => undefined;
    },
  });
  let heard = 0;
  const off = guarded.watch?.(() => {
    heard++;
    throw new Error('boom');
  });
  tell?.('committed');
  off?.();
  tell?.('committed');
  expect(heard).toBe(1);
  expect(logger.lines).toHaveLength(1);
  await guarded.close();
  expect(() => guarded.watch?.(() => undefined)).toThrow(
    expect.objectContaining({ code: 'ALREADY_STOPPED' }),
  );
});
