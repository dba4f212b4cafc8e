import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startRedis } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { expect, it, onTestFinished } from 'vitest';
import { exampleEvent, exampleEvents, partsOf } from './support/example-event.js';
import { eventually, Fleet, inboxOf } from './support/fleet.js';

const redis = serviceOrSkip(startRedis);
const group = 'workers';
const program = fileURLToPath(new URL('fixtures/consumer.mjs', import.meta.url));

/** A process that is a worker of the group, and what it has taken. */
async function consumer(fleet: Fleet) {
  const child = spawn(process.execPath, [program, redis().url, fleet.name, group], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  await eventually(() => lines).toContain('ready');
  const kill = async () => {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  };
  return { taken: () => lines.filter((line) => line !== 'ready'), kill };
}

it('What a killed process had been handed is handed to another: nothing is lost', async () => {
  const fleet = new Fleet(redis().url);
  const bus = await fleet.bus({ claimIdleMs: 1_000 });
  const doomed = await consumer(fleet);
  const hanging = exampleEvents('hang', 5);
  await bus.publish(hanging);
  await eventually(() => doomed.taken().length).toBe(5);
  const survivor = await consumer(fleet);
  const events = exampleEvents('event', 2_000);
  for (let at = 0; at < events.length; at += 100) {
    await bus.publish(events.slice(at, at + 100));
    if (at === 1_000) {
      await eventually(() => doomed.taken().length).toBeGreaterThan(5);
      await doomed.kill();
    }
  }
  const wanted = new Set(partsOf([...hanging, ...events]));
  const handled = () => new Set([...doomed.taken(), ...survivor.taken()]);
  await eventually(() => [...wanted].filter((part) => !handled().has(part))).toEqual([]);
  await eventually(() =>
    survivor
      .taken()
      .filter((part) => part.startsWith('hang'))
      .sort(),
  ).toEqual(partsOf(hanging));
  // What it is still busy with are those that never end, and nothing is the dead one's.
  await eventually(async () => (await fleet.pending(group)).length).toBe(5);
  expect(new Set((await fleet.pending(group)).map(({ consumer: name }) => name)).size).toBe(1);
});

it('What is published while every worker is dead is there for the next', async () => {
  const fleet = new Fleet(redis().url);
  const bus = await fleet.bus();
  const doomed = await consumer(fleet);
  await doomed.kill();
  await bus.publish([exampleEvent('meanwhile')]);
  const inbox = await inboxOf(bus, { group });
  await eventually(() => partsOf(inbox)).toEqual(['meanwhile']);
});
