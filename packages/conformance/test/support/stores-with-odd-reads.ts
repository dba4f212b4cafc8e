import { setTimeout as wait } from 'node:timers/promises';
import { memoryStore } from '@mcpinfra/core';
import type { Store } from '@mcpinfra/core/plugin';
import { altered } from './altered.js';

/** What readers are shown of a row that is being written: its form before, where that is wanted. */
interface Oddity {
  readonly showsBefore: () => boolean;
  /** Whether a write resolves before readers see it. */
  readonly resolvesEarly?: ((othersWrite: boolean) => boolean) | undefined;
}

const writingMs = 5;

/** Checks writes against what is being written, but shows to readers only what has been written. */
export function withReadsBehindItsChecks(): Store {
  return withOddReads({ showsBefore: () => true });
}

/** Shows to every other reader what is being written, and to those between them what was before. */
export function withReadsThatGoBack(): Store {
  let reads = 0;
  return withOddReads({ showsBefore: () => (reads += 1) % 2 === 0 });
}

/** Resolves a write with those that came before it, when others write too. */
export function withWritesThatResolveEarly(): Store {
  return withOddReads({ showsBefore: () => true, resolvesEarly: (othersWrite) => othersWrite });
}

/** A store in memory each of whose writes takes a while. */
function withOddReads({ showsBefore, resolvesEarly = () => false }: Oddity): Store {
  return altered(memoryStore(), (store) => {
    const before = new Map<string, unknown>();
    const newest = new Map<string, unknown>();
    let writing = 0;

    async function slowly<T extends { readonly id: string }>(write: Promise<T>): Promise<T> {
      const written = await write;
      const { id } = written;
      if (!before.has(id)) before.set(id, newest.get(id) ?? null);
      newest.set(id, written);
      writing += 1;
      const done = wait(writingMs).then(() => {
        before.delete(id);
        writing -= 1;
      });
      if (!resolvesEarly(writing > 1)) await done;
      return written;
    }

    const shown = <T>(id: string, row: T): T =>
      before.has(id) && showsBefore() ? (before.get(id) as T) : row;

    return {
      createServer: (server, effects, options) => slowly(store.createServer(server, effects, options)),
      updateServer: (server, effects, options) => slowly(store.updateServer(server, effects, options)),
      createInstance: (record, effects, options) => slowly(store.createInstance(record, effects, options)),
      updateInstance: (record, effects, options) => slowly(store.updateInstance(record, effects, options)),
      servers: altered(store.servers, (servers) => ({
        get: async (id, options) => shown(id, await servers.get(id, options)),
      })),
      instances: altered(store.instances, (instances) => ({
        get: async (id, options) => shown(id, await instances.get(id, options)),
        list: async (query, options) => {
          const page = await instances.list(query, options);
          return { ...page, items: page.items.flatMap((row) => shown<typeof row | null>(row.id, row) ?? []) };
        },
      })),
    };
  });
}
