// `npm run chaos -- --seconds N --seed S [--workers W]`: kills processes, databases, the engine and containers under a
// working fleet, lets it come to rest and audits what is left. What happens when is a function of the seed. The last line
// is JSON.

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ServiceUnavailable } from '@mcpinfra/tools';
import { audit } from './audit.js';
import { EngineDiary } from './engine-diary.js';
import { type Fleet, startFleet } from './fleet.js';
import { Killing } from './killing.js';
import { scheduleOf } from './schedule.js';
import { Wishes } from './wishes.js';

/** So long everything may take to come to rest: an engine's return, a lease's time and two comparisons of everything. */
const restMs = 150_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '3' },
  },
});
const [seconds, seed, workers] = [values.seconds, values.seed, values.workers].map(Number);
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());

try {
  const fleet = await startFleet(whole('workers', workers), interrupted.signal);
  try {
    await run(fleet, whole('seconds', seconds), whole('seed', seed, 0));
  } finally {
    await fleet[Symbol.asyncDispose]();
  }
} catch (error) {
  if (!(error instanceof ServiceUnavailable)) throw error;
  console.error(`SKIPPED: ${error.message}`);
  console.log(JSON.stringify({ chaos: { skipped: error.message } }));
  process.exitCode = process.env['CI'] === undefined || process.env['CI'] === '' ? 0 : 1;
}

async function run(fleet: Fleet, seconds: number, seed: number): Promise<void> {
  const { operations, kills } = scheduleOf(seed, seconds);
  const wishes = new Wishes(fleet.api);
  const killing = new Killing(fleet, interrupted.signal);
  const diary = new EngineDiary(fleet.engine.socketPath);
  const started = performance.now();
  const steps = [
    ...operations.map(({ atMs, operation }, n) => ({
      atMs,
      begin: () => wishes.begin(operation, `${String(seed)}-${String(n)}`),
      text: `${operation.kind} ${operation.name}`,
    })),
    ...kills.map(({ atMs, kill }) => ({
      atMs,
      begin: () => killing.begin(kill),
      text: `KILL ${kill.victim} for ${String(kill.awayMs)} ms`,
    })),
  ].sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, begin, text } of steps) {
    await sleep(Math.max(0, started + atMs - performance.now()));
    if (interrupted.signal.aborted) break;
    console.log(`${(atMs / 1_000).toFixed(1).padStart(6)} s  ${text}`);
    begin();
  }
  await killing.settled();
  await wishes.settled();
  console.log('quiet');
  const rested = performance.now();
  const { lostInstances, lostEvents, leftover, stuck, duplicates } = await audit(fleet, wishes.all, restMs);
  await diary.stop();
  const duplicateRuntimes = [...duplicates, ...diary.duplicates];
  const problems = { lostInstances, lostEvents, duplicateRuntimes, leftover, stuck, refused: wishes.refused };
  for (const [kind, found] of Object.entries(problems))
    for (const text of found.slice(0, 20)) console.log(`${kind}: ${text}`);
  const counts = Object.fromEntries(Object.entries(problems).map(([kind, found]) => [kind, found.length]));
  const ok = Object.values(counts).every((count) => count === 0) && !interrupted.signal.aborted;
  console.log(`at rest after ${((performance.now() - rested) / 1_000).toFixed(1)} s`);
  if (!ok && existsSync(fleet.folder)) await keepLogs(fleet.folder);
  console.log(
    JSON.stringify({ chaos: { seed, operations: wishes.accepted, kills: killing.count, ...counts, ok } }),
  );
  if (!ok) process.exitCode = 1;
}

/** The logs of a run that went wrong are worth more than its folder's tidiness. */
async function keepLogs(folder: string): Promise<void> {
  const { cp } = await import('node:fs/promises');
  await cp(folder, 'chaos-logs', { recursive: true, force: true });
  console.log('the logs of every process are in chaos-logs/');
}

function whole(name: string, value: number | undefined, least = 1): number {
  if (value !== undefined && Number.isSafeInteger(value) && value >= least) return value;
  console.error(`Expected --${name} to be a whole number of at least ${String(least)}.`);
  process.exit(2);
}
