import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { redisEvents } from '@mcpinfra/events-redis';
import { exampleEvents } from './example-events.js';

const program = fileURLToPath(new URL('consumer.js', import.meta.url));
const total = 5_000;
const patienceMs = 30_000;

/** Ends one of two consumers of a group with SIGKILL while events come in, and counts those that neither has taken. */
export async function lostOverAKill(url: string): Promise<number> {
  const fleet = `bench-${randomUUID()}`;
  const events = exampleEvents(total);
  const missing = new Set(events.map(({ id }) => id));
  const bus = redisEvents({ url, claimIdleMs: 1_000 });
  const child = spawn(process.execPath, [program, url, fleet], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let taken = 0;
  let isReady = false;
  createInterface(child.stdout).on('line', (line) => {
    if (line === 'ready') isReady = true;
    else if (missing.delete(line)) taken += 1;
  });
  const until = async (isSo: () => boolean): Promise<void> => {
    for (const end = performance.now() + patienceMs; !isSo() && performance.now() < end;) await sleep(10);
  };
  try {
    await bus.open({ fleet });
    await until(() => isReady);
    await bus.publish(events.slice(0, total / 2));
    await bus.subscribe({ group: 'bench' }, ({ id }) => void missing.delete(id));
    const publishing = bus.publish(events.slice(total / 2));
    await until(() => taken > 0);
    child.kill('SIGKILL');
    await publishing;
    await ended;
    await until(() => missing.size === 0);
    return missing.size;
  } finally {
    child.kill('SIGKILL');
    await bus.close();
  }
}
