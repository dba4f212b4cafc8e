import { describe, expect, it } from 'vitest';
import { exampleInstance } from '../../../test/support/rows.js';
import { memoryStore } from '../../adapters/memory-store.js';
import { shardLease } from '../../domain/fleet/lease-names.js';
import { type MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy } from '../../domain/instance/instance-record.js';
import { shardOf } from '../../domain/shard.js';
import type { PeerLink } from '../../ports/peer-link.js';
import { type ManualClock, manualClock } from '../../testing/manual-clock.js';
import { RemoteOwners } from './remote-owners.js';
import type { ServiceContext } from '../context/service-context.js';

const copy: Copy = { revision: 3, spec: { type: 'docker', image: 'x' } } as unknown as Copy;

/** A process that asks, over a store in which workers hold leases; `answer` is what is met at an address. */
async function asking(answer: (address: string) => MCPInfraError | null) {
  const clock = manualClock();
  const store = memoryStore({ clock });
  await store.open();
  let reads = 0;
  const leases = {
    ...store.leases,
    list: async () => {
      reads += 1;
      return store.leases.list();
    },
  };
  const base = exampleInstance();
  const record = { ...base, runtime: { ...base.runtime, placement: 'here' } };
  const asked: string[] = [];
  const peer = {
    openChannel: async (address: string) => {
      asked.push(address);
      const error = answer(address);
      if (error) throw error;
      return { address };
    },
  } as unknown as PeerLink;
  const context = { clock, store: { ...store, leases } } as unknown as ServiceContext;
  const owners = new RemoteOwners(context, () => peer);
  const name = shardLease('here', shardOf(record.id));
  return {
    clock,
    record,
    asked,
    reads: () => reads,
    dial: (signal?: AbortSignal) => owners.dial(record, copy, { signal }),
    own: (id: string, address?: string) => store.leases.acquire([name], { id, ttlMs: 600_000, address }),
    disown: (id: string) => store.leases.release([name], id),
  };
}

const failed = (work: Promise<unknown>): Promise<MCPInfraError> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as MCPInfraError,
  );

async function timePasses(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) await clock.advance(100);
}

const moved = mcpError('NOT_OWNER', 'This process does not own the instance.');

describe('an instance of another process', () => {
  it('is asked for at the address in its lease, which is read once for many calls', async () => {
    const t = await asking(() => null);
    await t.own('w-1', '10.0.0.1:1');
    expect(await Promise.all([t.dial(), t.dial(), t.dial()])).toMatchObject([
      { kind: 'stdio', channel: { address: '10.0.0.1:1' } },
      {},
      {},
    ]);
    expect(t.reads()).toBe(1);
    await timePasses(t.clock, 1_100);
    await t.dial();
    expect(t.reads()).toBe(2);
  });

  it.each(['NOT_OWNER', 'CONNECTION_REFUSED', 'CONNECTION_CLOSED', 'REQUEST_TIMEOUT'] as const)(
    'is looked for again when its owner answers %s',
    async (code) => {
      const t = await asking((address) => (address === '10.0.0.1:1' ? mcpError(code, 'gone') : null));
      await t.own('w-1', '10.0.0.1:1');
      const dialed = t.dial();
      await timePasses(t.clock, 300);
      await t.disown('w-1');
      await timePasses(t.clock, 1_000);
      await t.own('w-2', '10.0.0.2:2');
      await timePasses(t.clock, 4_000);
      expect(await dialed).toMatchObject({ channel: { address: '10.0.0.2:2' } });
    },
  );

  it('is given up after the time of a hand-over, with what was met last', async () => {
    const t = await asking(() => moved);
    await t.own('w-1', '10.0.0.1:1');
    const dialed = failed(t.dial());
    await timePasses(t.clock, 8_000);
    expect(await dialed).toBe(moved);
    expect(t.asked.length).toBeGreaterThan(3);
    expect(t.asked.length).toBeLessThan(10);
  });

  it('is said to have no owner when nobody has its lease', async () => {
    const t = await asking(() => null);
    const dialed = failed(t.dial());
    await timePasses(t.clock, 8_000);
    expect(await dialed).toMatchObject({ code: 'PLACEMENT_UNREACHABLE', retryable: true });
    expect((await dialed).message).toContain('none that reaches here has its lease');
  });

  it.each([
    ['another key', mcpError('PEER_UNAUTHORIZED', 'another key')],
    ['a failure of the server', mcpError('PROTOCOL_ERROR', 'no MCP')],
  ])('is not asked again after %s', async (_what, error) => {
    const t = await asking(() => error);
    await t.own('w-1', '10.0.0.1:1');
    expect(await failed(t.dial())).toBe(error);
    expect(t.asked).toHaveLength(1);
  });

  it('is not asked again for a caller who gave up', async () => {
    const t = await asking(() => moved);
    await t.own('w-1', '10.0.0.1:1');
    const caller = new AbortController();
    const dialed = failed(t.dial(caller.signal));
    await timePasses(t.clock, 300);
    const soFar = t.asked.length;
    caller.abort();
    await dialed;
    expect(t.asked.length).toBeLessThanOrEqual(soFar + 1);
  });
});
