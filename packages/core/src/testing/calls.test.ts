import { describe, expect, it } from 'vitest';
import type { ContainerSpec, RunRequest } from '../plugin.js';
import { createTestInfra, type TestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test', lifecycle: { stop_grace: 1 } } as const;
const onDemand = {
  ...docker,
  lifecycle: { ...docker.lifecycle, start: 'on-demand', idle_timeout: 60 },
} as const;
const tools = { echo: (args: unknown) => args };

const created = async (t: TestInfra, jsonSpec: typeof docker | typeof onDemand = docker) => {
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.settle();
  return id;
};

describe('a call of an instance that is on its way', () => {
  it.each(['pending', 'pulling', 'starting'] as const)('waits for it while it is %s', async (status) => {
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const clock = manualClock();
    const provider = fakeProvider({ clock, tools });
    if (status !== 'starting') {
      provider.prepare = async ({ onProgress }: RunRequest<ContainerSpec>) => {
        if (status === 'pulling')
          onProgress({ phase: 'pulling', image: 'mcp/test', completedBytes: 1, totalBytes: 2 });
        await held;
      };
    }
    await using t = await createTestInfra({ clock, providers: [provider] });
    if (status === 'starting') t.hang('one');
    const id = await created(t, onDemand);
    expect((await t.infra.instances.get(id)).status).toBe(status);
    const calls = [1, 2, 3].map((n) => t.infra.instances.callTool(id, 'echo', { n }));
    await t.settle();
    goOn();
    t.unhang('one');
    await t.advance(1_000);
    const answers = await Promise.all(calls);
    expect(answers.map(({ structuredContent }) => structuredContent?.['n'])).toEqual([1, 2, 3]);
  });

  it('waits no longer than wakeTimeoutMs, and says what it waited for', async () => {
    await using t = await createTestInfra({ tools });
    t.hang('one');
    const id = await created(t);
    const refused = expect(
      t.infra.instances.callTool(id, 'echo', {}, { wakeTimeoutMs: 5_000 }),
    ).rejects.toMatchObject({
      code: 'REQUEST_TIMEOUT',
      message: expect.stringContaining('starting') as unknown,
    });
    await t.advance(5_000);
    await refused;
  });
});

describe('a call around a crash', () => {
  it('ends with OUTCOME_UNKNOWN where it was in flight, and those after it wait for the restart', async () => {
    await using t = await createTestInfra({ tools: { ...tools, never: () => new Promise(() => undefined) } });
    const id = await created(t);
    for (let crash = 1; crash <= 3; crash++) {
      const inFlight = expect(t.infra.instances.callTool(id, 'never')).rejects.toMatchObject({
        code: 'OUTCOME_UNKNOWN',
      });
      await t.settle();
      t.crash('one');
      await inFlight;
      // The row may not know of it yet.
      const later = [1, 2, 3].map((n) => t.infra.instances.callTool(id, 'echo', { n }));
      await t.advance(10_000);
      expect((await Promise.all(later)).map(({ structuredContent }) => structuredContent?.['n'])).toEqual([
        1, 2, 3,
      ]);
    }
  });

  it('is refused at once, with the reason and the next try, where that is later than it can wait', async () => {
    await using t = await createTestInfra({ tools });
    const id = await created(t);
    for (let crash = 1; crash <= 6; crash++) {
      t.crash('one');
      await t.settle();
      if (crash < 6) await t.advance(20_000);
    }
    const { status, statusDetail } = await t.infra.instances.get(id);
    expect(status).toBe('failed');
    await expect(t.infra.instances.callTool(id, 'echo', {}, { wakeTimeoutMs: 2_000 })).rejects.toMatchObject({
      code: 'INSTANCE_NOT_READY',
      message: expect.stringContaining(statusDetail.nextRetryAt!) as unknown,
      details: { statusDetail: { reason: 'EXITED', nextRetryAt: statusDetail.nextRetryAt } },
    });
    const waits = t.infra.instances.callTool(id, 'echo', { n: 1 });
    await t.advance(60_000);
    expect((await waits).structuredContent).toEqual({ n: 1 });
  });

  it('is refused with the reason when the restart it waited for fails, too', async () => {
    await using t = await createTestInfra({ tools });
    t.failNextStart('PROVIDER_FAILED', 'no such image');
    const id = await created(t);
    t.failNextStart('PROVIDER_FAILED', 'still no such image');
    const refused = expect(t.infra.instances.callTool(id, 'echo')).rejects.toMatchObject({
      code: 'INSTANCE_NOT_READY',
      message: expect.stringContaining('still no such image') as unknown,
    });
    await t.advance(5_000);
    await refused;
  });
});

describe('the options of a call and of a client', () => {
  it('bound the whole call by timeoutMs', async () => {
    await using t = await createTestInfra({ tools: { never: () => new Promise(() => undefined) } });
    const id = await created(t);
    const timedOut = { code: 'REQUEST_TIMEOUT' };
    const call = expect(
      t.infra.instances.callTool(id, 'never', {}, { timeoutMs: 3_000 }),
    ).rejects.toMatchObject(timedOut);
    await t.advance(3_000);
    await call;
    t.hang('two');
    const two = await t.infra.instances.create({ name: 'two', jsonSpec: docker });
    const client = expect(t.infra.instances.connect(two.id, { timeoutMs: 3_000 })).rejects.toMatchObject(
      timedOut,
    );
    await t.advance(3_000);
    await client;
  });

  it('are refused where they are unknown, with what was meant', async () => {
    await using t = await createTestInfra({ tools });
    const id = await created(t);
    const mistyped = { timeout: 3_000 } as object;
    const refused = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('"timeoutMs"') as unknown };
    await expect(t.infra.instances.callTool(id, 'echo', {}, mistyped)).rejects.toMatchObject(refused);
    await expect(t.infra.instances.connect(id, mistyped)).rejects.toMatchObject(refused);
    await expect(t.infra.instances.callTool(id, 'echo', {}, { timeoutMs: -1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('a client given away', () => {
  it('keeps an on-demand instance awake until its session ends, whatever the host sets on it', async () => {
    await using t = await createTestInfra({ tools });
    const id = await created(t, onDemand);
    const client = await t.infra.instances.connect(id);
    let closed = 0;
    client.onclose = () => (closed += 1);
    await t.advance(200_000);
    expect((await t.infra.instances.get(id)).status).toBe('running');
    await client.close();
    expect(closed).toBe(1);
    await t.advance(62_000);
    expect((await t.infra.instances.get(id)).status).toBe('idle');
    expect(await t.leaks()).toEqual([]);
  });
});

describe('a client during updates', () => {
  const image = (n: number) => ({ jsonSpec: { image: `mcp/test:${n}` } });
  const revisions = (t: TestInfra) => t.provider.copies().map(({ copy }) => copy.revision);

  it('begins no call in vain: the copy it is connected to serves on, and new calls go to the new one', async () => {
    await using t = await createTestInfra({ tools });
    const id = await created(t);
    const client = await t.infra.instances.connect(id);
    for (let n = 2; n <= 4; n++) {
      await t.infra.instances.update(id, image(n));
      await t.advance(5_000);
      const answer = await client.callTool({ name: 'echo', arguments: { n } });
      expect(answer.structuredContent).toEqual({ n });
      expect((await t.infra.instances.callTool(id, 'echo', { n })).structuredContent).toEqual({ n });
    }
    expect(revisions(t)).toEqual([1, 4]);
    expect((await t.infra.instances.get(id)).status).toBe('running');
    await client.close();
    await t.settle();
    expect(revisions(t)).toEqual([4]);
    expect(await t.leaks()).toEqual([]);
  });

  it('is closed when drain_timeout is over, and hears of it', async () => {
    await using t = await createTestInfra({ tools });
    const { id } = await t.infra.instances.create({
      name: 'one',
      jsonSpec: { ...docker, lifecycle: { stop_grace: 1, drain_timeout: 60 } },
    });
    await t.settle();
    const client = await t.infra.instances.connect(id);
    let closed = 0;
    client.onclose = () => (closed += 1);
    await t.infra.instances.update(id, image(2));
    await t.advance(59_000);
    expect(revisions(t)).toEqual([1, 2]);
    expect(closed).toBe(0);
    await t.advance(2_000);
    expect(revisions(t)).toEqual([2]);
    expect(closed).toBe(1);
    await using again = await t.infra.instances.connect(id);
    expect((await again.callTool({ name: 'echo', arguments: {} })).isError).not.toBe(true);
  });

  it.each(['stop', 'delete'] as const)('holds up no %s', async (command) => {
    await using t = await createTestInfra({ tools });
    const id = await created(t);
    await t.infra.instances.connect(id);
    await t.infra.instances.update(id, image(2));
    await t.settle();
    expect(revisions(t)).toEqual([1, 2]);
    const done = t.infra.instances[command](id, { wait: true });
    await t.advance(3_000);
    await done;
    expect(t.provider.copies().filter(({ state }) => state === 'running')).toEqual([]);
    expect(await t.leaks()).toEqual([]);
  });

  it('holds up no crash of the new copy', async () => {
    await using t = await createTestInfra({ tools });
    const id = await created(t);
    const client = await t.infra.instances.connect(id);
    await t.infra.instances.update(id, image(2));
    await t.settle();
    t.crash('one');
    await t.advance(1_000);
    expect((await t.infra.instances.get(id)).status).toBe('running');
    await client.close();
  });

  it('leaves nothing behind when the infra stops', async () => {
    const t = await createTestInfra({ tools, onStop: 'destroy' });
    const id = await created(t);
    await t.infra.instances.connect(id);
    await t.infra.instances.update(id, image(2));
    await t.settle();
    await t.stop();
    expect(t.provider.copies()).toEqual([]);
    expect(await t.leaks()).toEqual([]);
  });
});
