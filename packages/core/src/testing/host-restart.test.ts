import { describe, expect, it } from 'vitest';
import { fakeProvider } from '@mcpinfra/core/testing';
import { local } from './fake-kinds.fixture.js';
import { sharedFleet, type SharedFleet } from '../../test/support/shared-fleet.js';

const jsonSpec = { type: 'local', command: ['server'] } as const;
const tools = { echo: (args: unknown) => args };

/** A host that runs its servers as children, and was killed. */
async function killed(fleet: SharedFleet) {
  const own = fakeProvider({ ...local, clock: fleet.clock, tools });
  const host = await fleet.join({ own });
  const { id } = await host.infra.instances.create({ name: 'one', jsonSpec });
  await fleet.advance(1_000);
  expect((await host.infra.instances.get(id)).status).toBe('running');
  host.kill();
  own.crash('one');
  return id;
}

/** The same host, started anew. */
const again = async (fleet: SharedFleet) => {
  const own = fakeProvider({ ...local, clock: fleet.clock, tools });
  return { ...(await fleet.join({ own })), own };
};

/** What an embedded store does at its opening: no other process can be there. */
const voidLeases = async ({ store }: SharedFleet) => {
  const leases = await store.leases.list();
  for (const { name, holderId } of leases) await store.leases.release([name], holderId);
};

describe('after a restart of the host, a copy that ended with it', () => {
  it('does not count as running before its new owner has started it', async () => {
    await using fleet = sharedFleet();
    const id = await killed(fleet);
    await voidLeases(fleet);
    // This one only reads and writes wishes: it sees what is before anybody owns it.
    const control = await fleet.join({
      roles: ['control'],
      own: fakeProvider({ ...local, clock: fleet.clock }),
    });
    expect((await fleet.store.instances.get(id))?.status).toBe('running');
    expect(await control.infra.instances.get(id)).toMatchObject({
      status: 'pending',
      statusDetail: { endpoint: null, health: { state: 'unknown' } },
    });
    expect((await control.infra.instances.list()).items[0]?.status).toBe('pending');
    expect((await control.infra.health()).instances).toMatchObject({ running: 0, pending: 1 });
    let ready = false;
    const waiting = control.infra.instances.waitUntilReady(id).then(() => (ready = true));
    await fleet.advance(5_000);
    expect(ready).toBe(false);

    const { own } = await again(fleet);
    await fleet.advance(2_000);
    expect(ready).toBe(true);
    await waiting;
    expect(own.copies().map(({ state }) => state)).toEqual(['running']);
    expect((await control.infra.health()).instances).toMatchObject({ running: 1, pending: 0 });
  });

  it('is waited for by a call, not said to be owned by another', async () => {
    await using fleet = sharedFleet();
    const id = await killed(fleet);
    const { infra } = await again(fleet);
    const call = infra.instances.callTool(id, 'echo', { n: 1 });
    await fleet.advance(20_000);
    expect((await call).structuredContent).toEqual({ n: 1 });
  });

  it('is not waited for where its owner lives', async () => {
    await using fleet = sharedFleet();
    const own = fakeProvider({ ...local, clock: fleet.clock, tools });
    const host = await fleet.join({ own });
    const { id } = await host.infra.instances.create({ name: 'one', jsonSpec });
    await fleet.advance(1_000);
    const other = await fleet.join({ own: fakeProvider({ ...local, clock: fleet.clock }) });
    const refused = expect(other.infra.instances.callTool(id, 'echo')).rejects.toMatchObject({
      code: 'NOT_OWNER',
    });
    await fleet.advance(6_000);
    await refused;
    expect((await other.infra.instances.get(id)).status).toBe('running');
  });

  it('runs on under an owner whose lease had run out for a while', async () => {
    await using fleet = sharedFleet();
    const own = fakeProvider({ ...local, clock: fleet.clock, tools });
    const { infra } = await fleet.join({ own });
    const { id } = await infra.instances.create({ name: 'one', jsonSpec });
    await fleet.advance(1_000);
    await voidLeases(fleet);
    await fleet.advance(40_000);
    expect((await infra.instances.get(id)).status).toBe('running');
    expect(own.copies()).toHaveLength(1);
    expect((await infra.instances.callTool(id, 'echo', { n: 1 })).structuredContent).toEqual({ n: 1 });
  });
});
