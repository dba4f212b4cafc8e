import { describe, expect, it } from 'vitest';
import { exampleInstance, exampleRuntime } from '../../test/support/rows.js';
import type { InstanceRecord } from '../domain/instance/instance-record.js';
import type { CopyRef, Provider } from '../ports/provider.js';
import type { Store } from '../ports/store.js';
import type { ServiceContext } from '../services/context/service-context.js';
import type { Ownership } from '../services/context/ownership.js';
import { SecretSource } from '../services/secrets/secret-source.js';
import { destroyCopies } from './destroy-copies.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function rows(count: number): readonly InstanceRecord[] {
  const spec = { type: 'docker', image: 'mcp/test' } as InstanceRecord['jsonSpec'];
  return Array.from({ length: count }, () => {
    const active = { revision: 1, runHash: 'h', spec };
    return exampleInstance({ jsonSpec: spec, runtime: exampleRuntime({ active, placement: 'here' }) });
  });
}

/** A process that owns some rows, read page by page, and an engine that does with each copy what it is told to. */
function owning(
  pages: readonly (() => Promise<readonly InstanceRecord[]>)[],
  destroy: (copy: CopyRef) => Promise<void>,
) {
  const owned = { now: true };
  let read = 0;
  const list: Store['instances']['list'] = async () => {
    const page = pages[read];
    read += 1;
    const items = await (page?.() ?? []);
    return { items, nextCursor: read < pages.length ? `page-${read}` : null };
  };
  const provider: Pick<Provider, 'destroy'> = { destroy };
  const context = {
    store: { instances: { list } },
    providers: new Map([['docker', provider]]),
  } as unknown as ServiceContext;
  const ownership: Ownership = {
    fence: () => (owned.now ? 1 : null),
    placement: () => 'here',
    concerns: () => owned.now,
    away: () => undefined,
  };
  const secrets = new SecretSource(context);
  return { owned, run: () => destroyCopies({ context, ownership, secrets }, new AbortController().signal) };
}

/** What nobody handled while work was under way. */
async function unheardIn(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const unheard: unknown[] = [];
  const note = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', note);
  try {
    await work();
    await turn();
  } finally {
    process.off('unhandledRejection', note);
  }
  return unheard;
}

describe('the removal of all copies', () => {
  it('tells of a failure when all have been tried, also one while the next page is read', async () => {
    const first = rows(1);
    const second = rows(1);
    const destroyed: string[] = [];
    const slow = async () => {
      await turn();
      await turn();
      return second;
    };
    const { run } = owning([() => Promise.resolve(first), slow], async ({ instanceId }) => {
      destroyed.push(instanceId);
      if (instanceId === first[0]?.id) throw new Error('busy');
    });
    const unheard = await unheardIn(() => expect(run()).rejects.toThrow('busy'));
    expect(unheard).toEqual([]);
    expect(destroyed).toEqual([...first, ...second].map(({ id }) => id));
  });

  it('waits for what it has begun before it tells that the rest could not be read', async () => {
    const ended: string[] = [];
    const { run } = owning(
      [() => Promise.resolve(rows(1)), () => Promise.reject(new Error('away'))],
      async ({ instanceId }) => {
        await turn();
        await turn();
        ended.push(instanceId);
        throw new Error('busy');
      },
    );
    const unheard = await unheardIn(async () => {
      await expect(run()).rejects.toThrow('away');
      expect(ended).toHaveLength(1);
    });
    expect(unheard).toEqual([]);
  });

  it('leaves alone what another worker owns when its turn comes', async () => {
    const all = rows(40);
    const destroyed: string[] = [];
    const { owned, run } = owning([() => Promise.resolve(all)], async ({ instanceId }) => {
      destroyed.push(instanceId);
      await turn();
      owned.now = false;
    });
    await run();
    expect(destroyed).toHaveLength(16);
  });
});
