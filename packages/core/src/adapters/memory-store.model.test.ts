import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { exampleEvent, exampleInstance } from '../../test/support/rows.js';
import {
  type InstanceRecord,
  MCPInfraError,
  type Store,
  type StoreWriter,
  type WriteEffects,
} from '../plugin.js';
import { memoryStore } from './memory-store.js';

/** One call, in small numbers so that calls meet the same rows. */
type Call =
  | { readonly do: 'create' | 'delete'; readonly row: number; readonly name: number; readonly event: boolean }
  | {
      readonly do: 'update';
      readonly row: number;
      readonly name: number;
      readonly stale: boolean;
      /** Which of the model's fences. */
      readonly fence: number;
    }
  | { readonly do: 'number' | 'read'; readonly count: number }
  | { readonly do: 'transaction'; readonly calls: readonly Call[]; readonly fails: boolean }
  | { readonly do: 'reopen' };

type Write = Extract<Call, { row: number }>;

const row = fc.nat({ max: 4 });
const name = fc.nat({ max: 3 });
const write: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ do: fc.constantFrom('create' as const, 'delete' as const), row, name, event: fc.boolean() }),
  fc.record({
    do: fc.constant('update' as const),
    row,
    name,
    stale: fc.boolean(),
    fence: fc.nat({ max: 3 }),
  }),
);
const call: fc.Arbitrary<Call> = fc.oneof(
  { arbitrary: write, weight: 4 },
  fc.record({ do: fc.constantFrom('number' as const, 'read' as const), count: fc.nat({ max: 3 }) }),
  fc.record({
    do: fc.constant('transaction' as const),
    calls: fc.array(write, { maxLength: 4 }),
    fails: fc.boolean(),
  }),
  fc.record({ do: fc.constant('reopen' as const) }),
);

const limit = 3;
const retention = 2;
const idOf = (n: number): string => `00000000-0000-0000-0000-00000000000${n}`;

interface ModelRow {
  readonly name: string;
  readonly version: number;
  readonly epoch: number;
}

/** What a store is, written down as simply as it can be. */
class Model {
  rows = new Map<string, ModelRow>();
  counter = 0;
  events: { id: string; version: number }[] = [];
  head = 0;
  /** None, a lower one, a higher one, and that of a lease that was given back. */
  fences: readonly (number | undefined)[] = [];

  copy(): Model {
    const copy = Object.assign(new Model(), this);
    copy.rows = new Map(this.rows);
    copy.events = [...this.events];
    return copy;
  }

  taken(id: string, name: string): boolean {
    return [...this.rows].some(([other, row]) => other !== id && row.name === name);
  }

  apply(one: Call, eventId: string): unknown {
    switch (one.do) {
      case 'create': {
        const id = idOf(one.row);
        if (this.rows.has(id) || this.taken(id, `n${one.name}`)) return 'ALREADY_EXISTS';
        if (this.counter + 1 > limit) return 'LIMIT_EXCEEDED';
        this.rows.set(id, { name: `n${one.name}`, version: 1, epoch: 0 });
        this.counter += 1;
        if (one.event) this.events.push({ id: eventId, version: 1 });
        return undefined;
      }
      case 'update': {
        const id = idOf(one.row);
        const current = this.rows.get(id);
        const fence = this.fences[one.fence];
        if (one.fence === 3 || (fence ?? Infinity) < (current?.epoch ?? 0)) return 'LEASE_LOST';
        if (!current || one.stale) return 'CONFLICT';
        if (this.taken(id, `n${one.name}`)) return 'ALREADY_EXISTS';
        const epoch = fence ?? current.epoch;
        this.rows.set(id, { name: `n${one.name}`, version: current.version + 1, epoch });
        this.events.push({ id: eventId, version: current.version + 1 });
        return undefined;
      }
      case 'delete': {
        const current = this.rows.get(idOf(one.row));
        if (!current) return undefined;
        this.rows.delete(idOf(one.row));
        this.counter -= 1;
        if (one.event) this.events.push({ id: eventId, version: current.version + 1 });
        return undefined;
      }
      case 'number': {
        const before = this.head;
        this.head = Math.min(this.events.length, before + one.count);
        return this.events
          .slice(before, this.head)
          .map((event, n) => [before + n + 1, event.id, event.version]);
      }
      case 'read': {
        const after = Math.max(0, this.head - one.count - 2);
        if (after < this.head - retention) return 'CURSOR_EXPIRED';
        return this.events
          .slice(after, this.head)
          .map((event, n) => [after + n + 1, event.id, event.version]);
      }
      case 'transaction':
      case 'reopen':
        return undefined;
    }
  }
}

interface Run {
  store: Store;
  readonly reopen: () => Promise<Store>;
  model: Model;
  eventCount: number;
}

async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (MCPInfraError.isInstance(error)) return error.code;
    throw error;
  }
}

function effectsOf(one: Call, model: Model, eventId: string): WriteEffects {
  const events = one.do === 'update' || ('event' in one && one.event) ? [exampleEvent({ id: eventId })] : [];
  if (one.do === 'create') return { events, counters: [{ name: 'instances', by: 1, max: limit }] };
  if (one.do === 'delete') return { events, counters: [{ name: 'instances', by: -1 }] };
  return { events, fence: one.do === 'update' ? model.fences[one.fence] : undefined };
}

/** Rows as the model has them, for writes within a transaction too. */
function rowOf(model: Model, one: Write): InstanceRecord {
  const current = model.rows.get(idOf(one.row));
  const rename = one.do !== 'delete';
  const base = exampleInstance({
    id: idOf(one.row),
    name: rename ? `n${one.name}` : (current?.name ?? 'x'),
    resourceVersion: (current?.version ?? 1) - ('stale' in one && one.stale ? 1 : 0),
  });
  return { ...base, runtime: { ...base.runtime, leaseEpoch: current?.epoch ?? 0 } };
}

async function writeCall(writer: StoreWriter, model: Model, { one, id }: { one: Write; id: string }) {
  const record = rowOf(model, one);
  const effects = effectsOf(one, model, id);
  if (one.do === 'create') await writer.createInstance(record, effects);
  else if (one.do === 'update') await writer.updateInstance(record, effects);
  else await writer.deleteInstance(record, effects);
}

async function step(run: Run, one: Call): Promise<void> {
  const eventId = (): string => `e${(run.eventCount += 1)}`;
  switch (one.do) {
    case 'create':
    case 'update':
    case 'delete': {
      const id = eventId();
      const before = run.model.copy();
      const expected = run.model.apply(one, id);
      expect(await outcome(writeCall(run.store, before, { one, id }))).toEqual(expected);
      break;
    }
    case 'number': {
      const expected = run.model.apply(one, '');
      const numbered = await run.store.events.number(one.count);
      expect(numbered.map((event) => [event.position, event.id, event.resourceVersion])).toEqual(expected);
      break;
    }
    case 'read': {
      const after = Math.max(0, run.model.head - one.count - 2);
      const read = run.store.events.read({ after, limit: 99 });
      const found = read.then((events) =>
        events.map((event) => [event.position, event.id, event.resourceVersion]),
      );
      expect(await outcome(found)).toEqual(run.model.apply(one, ''));
      break;
    }
    case 'transaction': {
      const trial = run.model.copy();
      const work = run.store.transaction(async (writer) => {
        for (const inner of one.calls) {
          if (!('row' in inner)) continue;
          const id = eventId();
          const before = trial.copy();
          const expected = trial.apply(inner, id);
          expect(await outcome(writeCall(writer, before, { one: inner, id }))).toEqual(expected);
        }
        if (one.fails) throw new RangeError('rolled back');
      });
      if (one.fails) await expect(work).rejects.toThrow(RangeError);
      else {
        await work;
        run.model = trial;
      }
      break;
    }
    case 'reopen':
      run.store = await run.reopen();
      run.model.fences = await takeFences(run.store);
  }
}

async function sameAs(store: Store, model: Model): Promise<void> {
  const rows: InstanceRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.instances.list({ limit: 2, cursor });
    rows.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  const shown = rows.map((row) => [
    row.id,
    { name: row.name, version: row.resourceVersion, epoch: row.runtime.leaseEpoch },
  ]);
  expect(shown).toEqual([...model.rows].sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const [id, row] of model.rows) {
    expect((await store.instances.list({ tenant: '', name: row.name, limit: 1 })).items[0]?.id).toBe(id);
  }
  expect(await store.counters.get('instances')).toBe(model.counter);
  expect(await store.events.head()).toBe(model.head);
}

async function takeFences(store: Store): Promise<Model['fences']> {
  const leases = await store.leases.acquire(['low', 'high', 'lost'], { id: 'a', ttlMs: 60_000 });
  await store.leases.release(['lost'], 'a');
  return [undefined, ...leases.map((lease) => lease.epoch)];
}

async function check(calls: readonly Call[], make: () => Store, keeps: boolean): Promise<void> {
  const start = async (): Promise<Store> => {
    const store = make();
    await store.open();
    return store;
  };
  const reopen = async (): Promise<Store> => {
    if (!keeps) return run.store;
    await run.store.close();
    return start();
  };
  const run: Run = { store: await start(), reopen, model: new Model(), eventCount: 0 };
  try {
    run.model.fences = await takeFences(run.store);
    for (const one of calls) {
      await step(run, one);
      await sameAs(run.store, run.model);
    }
  } finally {
    await run.store.close();
  }
}

const directories: string[] = [];
afterAll(() => Promise.all(directories.map((path) => rm(path, { recursive: true, force: true }))));

describe('a memory store does what a simple model of it does', () => {
  const calls = fc.array(call, { maxLength: 30 });

  it('in memory', async () => {
    const property = fc.asyncProperty(calls, (some) =>
      check(some, () => memoryStore({ eventRetention: retention }), false),
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it('in a file, closed and opened again at any point', async () => {
    const property = fc.asyncProperty(calls, async (some) => {
      const directory = await mkdtemp(join(tmpdir(), 'mcpinfra-model-'));
      directories.push(directory);
      const file = join(directory, 'store.json');
      await check(some, () => memoryStore({ file, eventRetention: retention }), true);
    });
    await fc.assert(property, { numRuns: 40 });
  });
});
