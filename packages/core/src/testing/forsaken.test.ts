import { expect, it } from 'vitest';
import { sharedFleet } from '../../test/support/shared-fleet.js';
import { remote } from './fake-kinds.fixture.js';
import { fakeProvider } from './fake-provider.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('says of a running instance whose type no worker runs any more that nobody reaches it, until one does', async () => {
  await using fleet = sharedFleet();
  const first = await fleet.join();
  const { id } = await first.infra.instances.create({ name: 'one', jsonSpec: docker });
  await fleet.advance(1_000);
  const other = await fleet.join({ providers: [fakeProvider({ ...remote })] });
  await fleet.advance(61_000);
  expect((await other.infra.instances.get(id)).statusDetail.reason).toBe('');
  await first.infra.stop();
  await fleet.advance(31_000);
  const { status, statusDetail } = await other.infra.instances.get(id);
  expect(status).toBe('running');
  expect(statusDetail).toMatchObject({ reason: 'PLACEMENT_UNREACHABLE', health: { state: 'unknown' } });
  expect(statusDetail.message).toContain('No worker has a provider for the type "docker"');
  await fleet.join();
  await fleet.advance(61_000);
  expect(await other.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { reason: '', health: { state: 'healthy' } },
  });
});

it('says why a delete waits for what nobody reaches', async () => {
  await using fleet = sharedFleet();
  const first = await fleet.join();
  const { id } = await first.infra.instances.create({ name: 'one', jsonSpec: docker });
  await fleet.advance(1_000);
  const other = await fleet.join({ providers: [fakeProvider({ ...remote })] });
  await first.infra.stop();
  const leaving = new AbortController();
  const gone = other.infra.instances.delete(id, { wait: true, signal: leaving.signal });
  const refused = expect(gone).rejects.toMatchObject({
    code: 'ABORTED',
    message: expect.stringContaining('PLACEMENT_UNREACHABLE') as string,
  });
  await fleet.advance(32_000);
  leaving.abort();
  await fleet.advance(0);
  await refused;
});

it('deletes an instance that was never started, whoever has its provider, and says before that nobody has', async () => {
  await using fleet = sharedFleet();
  const control = await fleet.join({ roles: ['control'] });
  const { id } = await control.infra.instances.create({ name: 'one', jsonSpec: docker });
  const other = await fleet.join({ providers: [fakeProvider({ ...remote })] });
  await fleet.advance(95_000);
  expect((await other.infra.instances.get(id)).statusDetail.reason).toBe('PLACEMENT_UNREACHABLE');
  await control.infra.instances.delete(id);
  await fleet.advance(31_000);
  expect(await other.infra.instances.count()).toBe(0);
});
