import { memoryStore } from '@mcpinfra/core';
import {
  type EventDraft,
  type InstanceRecord,
  MCPInfraError,
  mcpError,
  type Store,
  type WriteEffects,
} from '@mcpinfra/core/plugin';
import { altered } from './altered.js';

/** Writes the events of an update in a statement of their own, whatever became of the row. */
export function withEventsOfRefusedUpdates(): Store {
  return altered(memoryStore(), (store) => ({
    async updateInstance(record, effects, options) {
      try {
        return await store.updateInstance(record, effects, options);
      } catch (error) {
        if (codeOf(error) === 'CONFLICT') await store.appendEvents(effects.events);
        throw error;
      }
    },
  }));
}

/** Saves the cursor that came last, not the highest. */
export function withCursorsThatGoBack(): Store {
  const cursors = new Map<string, number>();
  return altered(memoryStore(), ({ events }) => ({
    events: altered(events, () => ({
      cursor: async (group, options) => {
        await events.cursor(group, options);
        return cursors.get(group) ?? null;
      },
      saveCursor: async (group, position, options) => {
        await events.saveCursor(group, position, options);
        cursors.set(group, position);
      },
    })),
  }));
}

/** Compares a fence with the epoch in the row, but does not ask whether its lease is still alive. */
export function withFencesOfDeadLeases(): Store {
  return altered(memoryStore(), (store) => {
    const byRow = async (record: InstanceRecord, { fence, ...effects }: WriteEffects) => {
      const row = await store.instances.get(record.id);
      if (fence === undefined) return { record, effects };
      if (row && row.runtime.leaseEpoch > fence) throw mcpError('LEASE_LOST', 'The row has a higher epoch.');
      return { record: { ...record, runtime: { ...record.runtime, leaseEpoch: fence } }, effects };
    };
    return {
      async updateInstance(given, effects, options) {
        const write = await byRow(given, effects);
        return store.updateInstance(write.record, write.effects, options);
      },
      async deleteInstance(given, effects, options) {
        const write = await byRow(given, effects);
        await store.deleteInstance(write.record, write.effects, options);
      },
      appendEvents: (events, options) => store.appendEvents(events, { signal: options?.signal }),
    };
  });
}

/** Keeps limits by counting rows before it writes, as `select count(*)` does. */
export function withLimitsByCountingRows(): Store {
  return altered(memoryStore(), (store) => ({
    async createInstance(record, effects, options) {
      const { counters = [] } = effects;
      if (counters.every(({ max }) => max === undefined))
        return store.createInstance(record, effects, options);
      const rows = await store.instances.count({});
      const full = counters.find(({ by, max }) => max !== undefined && rows + by > max);
      if (full) throw mcpError('LIMIT_EXCEEDED', `The limit of ${String(full.max)} is reached.`);
      const unlimited = counters.map(({ name, by }) => ({ name, by }));
      return store.createInstance(record, { ...effects, counters: unlimited }, options);
    },
  }));
}

/** Writes the events without a row at the end of a transaction, behind those of rows. */
export function withEventsOutOfOrder(): Store {
  return altered(memoryStore(), (store) => ({
    transaction: (work, options) =>
      store.transaction(async (writer) => {
        const later: EventDraft[] = [];
        let ended = false;
        const result = await work(
          altered(writer, () => ({
            appendEvents: async (events, own) =>
              ended ? writer.appendEvents(events, own) : void later.push(...events),
          })),
        ).finally(() => (ended = true));
        await writer.appendEvents(later);
        return result;
      }, options),
  }));
}

/** Goes on with the rows created after those of the page before, and so skips others of the same time. */
export function withPagesByTimeOnly(): Store {
  return altered(memoryStore(), ({ instances }) => ({
    instances: altered(instances, () => ({
      async list({ limit, cursor, ...query }, options) {
        const after = /^after (.+)$/u.exec(cursor ?? '')?.[1];
        if (cursor !== undefined && after === undefined) return instances.list({ limit, cursor }, options);
        const all = await instances.list({ ...query, limit: 10_000 }, options);
        const rest = all.items.filter(({ createdAt }) => createdAt > (after ?? ''));
        const items = rest.slice(0, limit);
        const last = items.at(-1);
        return { items, nextCursor: last && rest.length > limit ? `after ${last.createdAt}` : null };
      },
    })),
  }));
}

/** Knows its head by the newest event that is left. */
export function withHeadOfWhatIsLeft(): Store {
  return altered(memoryStore(), ({ events }) => ({
    events: altered(events, () => ({
      async head(options) {
        const head = await events.head(options);
        if (head === 0) return 0;
        const left = await events.read({ after: head - 1, limit: 1 }).catch(() => []);
        return left.at(-1)?.position ?? 0;
      },
    })),
  }));
}

/** Counts what is committed, so that its head is ahead of what can be read. */
export function withHeadAheadOfReads(): Store {
  return altered(memoryStore(), (store) => {
    let committed = 0;
    return {
      async appendEvents(events, options) {
        await store.appendEvents(events, options);
        committed += events.length;
      },
      events: altered(store.events, () => ({
        head: async (options) => Math.max(await store.events.head(options), committed),
      })),
    };
  });
}

/** Reads on to its head, wherever the reader wants to stop. */
export function withReadsWithoutEnd(): Store {
  return altered(memoryStore(), ({ events }) => ({
    events: altered(events, () => ({
      read: ({ upTo: _end, ...query }, options) => events.read(query, options),
    })),
  }));
}

/** Forgets a group, but not what it gave up. */
export function withLettersOfNobody(): Store {
  return altered(memoryStore(), ({ events }) => ({
    events: altered(events, () => ({
      setCursor: async (group, position, options) => {
        const kept = await events.deadLetters(group, { after: 0, limit: 99 });
        await events.setCursor(group, position, options);
        for (const letter of kept) await events.addDeadLetter(group, letter);
      },
    })),
  }));
}

/** Hands out its own rows, which whoever has one can change for all. */
export function withSharedRows(): Store {
  const shared = new Map<string, InstanceRecord>();
  return altered(memoryStore(), ({ instances }) => ({
    instances: altered(instances, () => ({
      async get(id, options) {
        const row = await instances.get(id, options);
        if (!row) return null;
        const key = `${id} ${String(row.resourceVersion)}`;
        const known = shared.get(key) ?? structuredClone(row);
        shared.set(key, known);
        return known;
      },
    })),
  }));
}

/** Tells those who watch of commits only. */
export function withoutNewsOfLeases(): Store {
  return altered(memoryStore(), (store) => ({
    watch: (listener) =>
      store.watch?.((news) => {
        if (news !== 'leases') listener(news);
      }) ?? (() => undefined),
  }));
}

function codeOf(error: unknown): string | undefined {
  return MCPInfraError.isInstance(error) ? error.code : undefined;
}
