import { recordingLogger, manualClock } from '@mcpinfra/core/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { fakeEngine, type FakeEngine } from '../test/fake-engine.js';
import { Engine } from './engine.js';
import { EngineEvents } from './engine-events.js';
import { labels } from './labels.js';

const owner = { fleet: 'f', storeId: 's' };

function death(id: string) {
  const attributes = {
    [labels.fleet]: owner.fleet,
    [labels.store]: owner.storeId,
    [labels.instance]: id,
    [labels.revision]: '1',
    [labels.slug]: `${id}-00000000`,
  };
  return {
    Action: 'die',
    timeNano: Date.now() * 1e6,
    Actor: { ID: `container-${id}`, Attributes: attributes },
  };
}

/** Follows the events of an engine by a clock that only the test moves. */
async function following(engine: FakeEngine) {
  const clock = manualClock();
  const client = new Engine({ kind: 'socket', socketPath: engine.socketPath }, clock);
  const told: string[] = [];
  const reports: string[] = [];
  const events = new EngineEvents(client, owner, {
    clock,
    listener: {
      onEvent: ({ action, containerId }) => told.push(`${action} ${containerId}`),
      onConnected: () => told.push('connected'),
      onLost: () => told.push('lost'),
    },
    host: {
      logger: recordingLogger(),
      report: (part, ok) => {
        if (reports.at(-1) !== `${part} ${String(ok)}`) reports.push(`${part} ${String(ok)}`);
      },
    },
  });
  onTestFinished(async () => {
    client.close();
    await engine.close();
  });
  await events.start();
  /** Moves time until something is so; requests take real time, which the clock knows nothing of. */
  const until = (stepMs: number, check: () => void) =>
    vi.waitFor(
      async () => {
        await clock.advance(stepMs);
        check();
      },
      { timeout: 10_000, interval: 10 },
    );
  return { clock, client, told, reports, until };
}

it('hears, from a new stream, what one that fell silent did not deliver, and nothing twice', async () => {
  const engine = await fakeEngine();
  const { told, reports, until } = await following(engine);
  engine.tell(death('a'));
  await until(0, () => expect(told).toEqual(['connected', 'die container-a']));
  engine.freezeStreams();
  engine.tell(death('b'));
  await until(1_000, () => expect(told).toEqual(['connected', 'die container-a', 'die container-b']));
  engine.tell(death('c'));
  await until(0, () => expect(told.at(-1)).toBe('die container-c'));
  for (let round = 0; round < 3; round++) await until(10_000, () => undefined);
  expect(told).toEqual(['connected', 'die container-a', 'die container-b', 'die container-c']);
  expect(reports).toEqual(['events true']);
});

it('keeps no more than one stream and what takes its place open', async () => {
  const engine = await fakeEngine();
  const { until } = await following(engine);
  const streams = () => engine.asked.filter((line) => line.startsWith('GET /events')).length;
  await until(5_000, () => expect(streams()).toBeGreaterThan(5));
  await until(0, () => expect(engine.sockets).toBeLessThanOrEqual(2));
});

it('says once that an engine that takes requests and answers none is not heard, and once that it is again', async () => {
  const engine = await fakeEngine();
  const { told, reports, until } = await following(engine);
  engine.hangs = true;
  await until(1_000, () => expect(told).toEqual(['connected', 'lost']));
  engine.tell(death('a'));
  for (let round = 0; round < 10; round++) await until(5_000, () => undefined);
  expect(engine.sockets).toBeLessThanOrEqual(1);
  engine.hangs = false;
  await until(1_000, () => expect(told).toEqual(['connected', 'lost', 'connected', 'die container-a']));
  expect(reports).toEqual(['events true', 'events false', 'events true']);
});

it('takes nothing for news that an engine tells of the time before it came back', async () => {
  const engine = await fakeEngine();
  const { told, until } = await following(engine);
  engine.breakStreams();
  await until(0, () => expect(told).toEqual(['connected', 'lost']));
  // As an engine does that ended what it found.
  engine.tell(death('a'));
  await until(1_000, () => expect(told).toEqual(['connected', 'lost', 'connected']));
  engine.tell(death('b'));
  await until(0, () => expect(told).toEqual(['connected', 'lost', 'connected', 'die container-b']));
});
