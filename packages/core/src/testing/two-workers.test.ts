import { describe, expect, it } from 'vitest';
import { memoryEventBus } from '../index.js';
import { relayLease, shardLease } from '../domain/fleet/lease-names.js';
import { shardOf } from '../domain/shard.js';
import { sharedFleet, type SharedFleet } from '../../test/support/shared-fleet.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

/** How many shards each holder has, in the order of the numbers. */
async function shares({ store }: SharedFleet): Promise<number[]> {
  const counts = new Map<string, number>();
  for (const { name, holderId } of await store.leases.list()) {
    if (/\/\d+$/u.test(name)) counts.set(holderId, (counts.get(holderId) ?? 0) + 1);
  }
  return [...counts.values()].sort((a, b) => a - b);
}

async function statuses({ store }: SharedFleet): Promise<ReadonlySet<string>> {
  return new Set((await store.instances.list({ limit: 100 })).items.map(({ status }) => status));
}

describe('workers of one fleet', () => {
  it('share the shards when they join, and start every instance once', async () => {
    await using fleet = sharedFleet();
    const first = await fleet.join();
    expect(await shares(fleet)).toEqual([16]);
    await fleet.join();
    await fleet.join();
    await fleet.advance(11_000);
    expect(await shares(fleet)).toEqual([5, 5, 6]);
    for (let n = 0; n < 20; n++) await first.infra.instances.create({ name: `i-${n}`, jsonSpec: docker });
    await fleet.advance(2_000);
    expect(await statuses(fleet)).toEqual(new Set(['running']));
    expect(fleet.engine.copies()).toHaveLength(20);
  });

  it('own everything together for as long as they run', async () => {
    await using fleet = sharedFleet();
    await fleet.join();
    await fleet.join();
    for (let second = 11; second <= 60; second++) {
      await fleet.advance(second === 11 ? 11_000 : 1_000);
      expect(await shares(fleet), `after ${second} s`).toEqual([8, 8]);
    }
  });

  it('take over at once from one that stops, without touching what runs', async () => {
    await using fleet = sharedFleet();
    const first = await fleet.join();
    const second = await fleet.join();
    for (let n = 0; n < 6; n++) await first.infra.instances.create({ name: `i-${n}`, jsonSpec: docker });
    await fleet.advance(11_000);
    const before = fleet.engine.copies();
    await first.infra.stop();
    await fleet.advance(900);
    expect(await shares(fleet)).toEqual([16]);
    fleet.engine.crash('i-0');
    fleet.engine.crash('i-5');
    await fleet.advance(1_000);
    expect(await statuses(fleet)).toEqual(new Set(['running']));
    expect(fleet.engine.copies().map(({ copy }) => copy)).toEqual(before.map(({ copy }) => copy));
    expect((await second.infra.health()).status).toBe('ok');
  });

  it('take over within the time of a lease from one that was killed', async () => {
    await using fleet = sharedFleet();
    const first = await fleet.join();
    const second = await fleet.join();
    for (let n = 0; n < 6; n++) await first.infra.instances.create({ name: `i-${n}`, jsonSpec: docker });
    await fleet.advance(11_000);
    first.kill();
    for (let n = 0; n < 6; n++) fleet.engine.crash(`i-${n}`);
    await fleet.advance(15_000);
    expect(await shares(fleet)).toEqual([16]);
    await fleet.advance(1_000);
    const { items } = await second.infra.instances.list();
    expect(items.map(({ status }) => status)).toEqual(Array(6).fill('running'));
    expect(fleet.engine.copies()).toHaveLength(6);
  });

  it('start what is wished while the process that numbers events is frozen', async () => {
    await using fleet = sharedFleet();
    const relay = await fleet.join();
    await fleet.join();
    const control = await fleet.join({ roles: ['control'] });
    await fleet.advance(11_000);
    const held = await fleet.store.leases.list();
    const holderOf = (name: string): string | undefined =>
      held.find((lease) => lease.name === name)?.holderId;
    const isOfOther = (id: string): boolean => {
      const holder = holderOf(shardLease('fake:docker', shardOf(id)));
      return holder !== undefined && holder !== holderOf(relayLease);
    };
    relay.freeze();
    const wished: string[] = [];
    for (let n = 0; n < 20; n++) {
      const { id } = await control.infra.instances.create({ name: `i-${n}`, jsonSpec: docker });
      if (isOfOther(id)) wished.push(id);
    }
    expect(wished.length).toBeGreaterThan(0);
    await fleet.advance(2_000);
    for (const id of wished) expect((await fleet.store.instances.get(id))?.status).toBe('running');
  });

  it('write nothing under a lease that ran out while they were frozen', async () => {
    await using fleet = sharedFleet();
    const frozen = await fleet.join({ frozen: true });
    const { id } = await frozen.infra.instances.create({ name: 'one', jsonSpec: docker });
    await fleet.advance(1_000);
    expect(await statuses(fleet)).toEqual(new Set(['running']));
    const before = frozen.writes.length;
    await fleet.join();
    await fleet.advance(20_000);
    // Its own clock says that its lease is good: only the store knows better.
    fleet.engine.crash('one', { exitCode: 7 });
    await frozen.clock.advance(0);
    await fleet.advance(1_000);
    const after = await fleet.store.instances.get(id);
    expect(after?.status).toBe('running');
    expect(frozen.writes).toHaveLength(before);
    expect(after?.statusDetail.restartCount).toBe(1);
  });
});

describe('processes of one fleet', () => {
  it('hear of what happens in the others, also over buses that reach only themselves', async () => {
    await using fleet = sharedFleet();
    const worker = await fleet.join();
    const control = await fleet.join({ roles: ['control'] });
    const heard: string[] = [];
    control.infra.events.on('MCPServerInstanceStatusChanged', ({ data }) => void heard.push(data.to));
    const { id } = await control.infra.instances.create({ name: 'one', jsonSpec: docker });
    await fleet.advance(1_000);
    expect(heard).toEqual(['starting', 'running']);
    expect((await worker.infra.instances.get(id)).status).toBe('running');
    await control.infra.instances.stop(id);
    await fleet.advance(1_000);
    expect(heard.slice(2)).toEqual(['stopping', 'stopped']);
  });

  it('handle the events of a group in one process at a time, and go on in another when that is killed', async () => {
    await using fleet = sharedFleet();
    const first = await fleet.join();
    const second = await fleet.join({ roles: ['control'] });
    const handled: { by: string; id: string }[] = [];
    const group = { group: 'audit', from: 'beginning' } as const;
    await first.infra.events.subscribe(group, ({ id }) => void handled.push({ by: 'first', id }));
    await second.infra.events.subscribe(group, ({ id }) => void handled.push({ by: 'second', id }));
    await second.infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
    await fleet.advance(2_000);
    expect(new Set(handled.map(({ by }) => by))).toEqual(new Set(['first']));
    first.kill();
    await second.infra.servers.register({ name: 'b', dockerImageUrl: 'mcp/b' });
    await fleet.advance(20_000);
    const log = await fleet.store.events.read({ after: 0, limit: 100 });
    expect(new Set(handled.map(({ id }) => id))).toEqual(new Set(log.map(({ id }) => id)));
    expect(handled.at(-1)?.by).toBe('second');
  });

  it('publish what one of them numbered and did not live to publish', async () => {
    await using fleet = sharedFleet();
    const hanging = memoryEventBus();
    hanging.publish = () => new Promise(() => undefined);
    const published: string[] = [];
    const working = memoryEventBus();
    const publish = working.publish.bind(working);
    working.publish = async (events) => {
      published.push(...events.map(({ id }) => id));
      await publish(events);
    };
    const first = await fleet.join({ events: hanging });
    await first.infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
    await fleet.advance(1_000);
    const log = await fleet.store.events.read({ after: 0, limit: 100 });
    expect(log).toHaveLength(1);
    const second = await fleet.join({ events: working });
    first.kill();
    await second.infra.servers.register({ name: 'b', dockerImageUrl: 'mcp/b' });
    await fleet.advance(20_000);
    const all = await fleet.store.events.read({ after: 0, limit: 100 });
    expect(published.slice(0, 2)).toEqual(all.slice(0, 2).map(({ id }) => id));
  });

  it('wake what sleeps under another process', async () => {
    await using fleet = sharedFleet();
    await fleet.join();
    const control = await fleet.join({ roles: ['control'] });
    const { id } = await control.infra.instances.create({
      name: 'one',
      jsonSpec: { ...docker, port: 80, lifecycle: { start: 'on-demand', idle_timeout: 60 } },
    });
    await fleet.advance(130_000);
    expect((await control.infra.instances.get(id)).status).toBe('idle');
    await Promise.all([
      control.infra.instances.callTool(id, 'none', {}).catch(() => undefined),
      fleet.advance(3_000),
    ]);
    expect((await control.infra.instances.get(id)).status).toBe('running');
  });
});
