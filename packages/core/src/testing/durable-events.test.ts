import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('hands a durable subscriber every event in order, again after a failure, and later ones only then', async () => {
  await using t = await createTestInfra();
  const tries: number[] = [];
  const handled: number[] = [];
  const subscription = await t.infra.events.subscribe(
    { group: 'audit', from: 'beginning' },
    ({ position }) => {
      tries.push(position);
      if (position === 2 && tries.filter((p) => p === 2).length < 3) throw new Error('not yet');
      handled.push(position);
    },
  );
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  expect(handled).toEqual([1]);
  expect(tries).toEqual([1, 2]);
  await t.advance(1_000);
  expect(tries).toEqual([1, 2, 2]);
  await t.advance(2_000);
  expect(handled).toEqual(t.recordedEvents().map(({ position }) => position));
  await subscription.close();
});

it('has only the subject of a failing event wait, and keeps no cursor beyond it', async () => {
  await using t = await createTestInfra();
  const handled: string[] = [];
  let broken = true;
  const subscribe = (handler: (name: string) => void) =>
    t.infra.events.subscribe(
      { group: 'audit', from: 'beginning', types: ['MCPServerInstanceCreated', 'MCPServerInstanceStopped'] },
      ({ type, data }) => {
        handler(`${data.name} ${type.slice('MCPServerInstance'.length)}`);
      },
    );
  const first = await subscribe((what) => {
    if (broken && what.startsWith('one')) throw new Error('not yet');
    handled.push(what);
  });
  const one = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.infra.instances.create({ name: 'two', jsonSpec: docker });
  await t.infra.instances.stop(one.id);
  await t.advance(3_000);
  expect(handled).toEqual(['two Created']);
  await first.close();
  // What was not handled is handed over again by the next, with what came after it.
  broken = false;
  const second = await subscribe((what) => void handled.push(what));
  await t.advance(3_000);
  expect(handled.slice(1)).toEqual(['one Created', 'two Created', 'one Stopped']);
  await second.close();
});

it('refuses a second subscription of a group in one process, until the first is closed', async () => {
  await using t = await createTestInfra();
  const subscription = await t.infra.events.subscribe({ group: 'audit' }, () => undefined);
  await expect(t.infra.events.subscribe({ group: 'audit' }, () => undefined)).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
  });
  await subscription.close();
  await (await t.infra.events.subscribe({ group: 'audit' }, () => undefined)).close();
});

it('goes on where a group stopped', async () => {
  await using t = await createTestInfra();
  const seen: number[] = [];
  const subscribe = () =>
    t.infra.events.subscribe(
      { group: 'audit', from: 'beginning' },
      ({ position }) => void seen.push(position),
    );
  const first = await subscribe();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await first.close();
  const before = seen.length;
  await t.infra.instances.stop(id);
  await t.settle();
  expect(seen).toHaveLength(before);
  const second = await subscribe();
  await t.settle();
  expect(seen).toEqual(t.recordedEvents().map(({ position }) => position));
  await second.close();
});

it('hands over only the types and labels that are asked for', async () => {
  await using t = await createTestInfra();
  const seen: string[] = [];
  await t.infra.events.subscribe(
    { group: 'g', from: 'beginning', types: ['MCPServerInstanceCreated'], labels: { team: 'a' } },
    ({ data }) => void seen.push(data.name),
  );
  await t.infra.instances.create({ name: 'one', jsonSpec: docker, labels: { team: 'a' } });
  await t.infra.instances.create({ name: 'two', jsonSpec: docker, labels: { team: 'b' } });
  await t.settle();
  expect(seen).toEqual(['one']);
});

it('is told when the log no longer goes back so far', async () => {
  await using t = await createTestInfra({ eventRetentionMs: 60_000 });
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await t.advance(120_000);
  const late = await t.infra.events.subscribe({ group: 'late', from: 'beginning' }, () => undefined);
  await t.settle();
  await expect(late.done).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
});

it('survives a listener that throws', async () => {
  await using t = await createTestInfra();
  const seen: string[] = [];
  t.infra.events.on('*', () => {
    throw new Error('ouch');
  });
  t.infra.events.on('MCPServerInstanceCreated', ({ data }) => void seen.push(data.name));
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  expect(seen).toEqual(['one']);
  expect(() => t.infra.events.on('Nonsense' as 'MCPServerCreated', () => undefined)).toThrow(/no event/u);
});
