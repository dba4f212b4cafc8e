// `npm run chaos -- --seconds N --seed S [--workers W] [--faults a,b]`: kills processes, databases, the engine and
// containers under a working fleet, has them freeze, refuse and fail in ways that no kill makes, lets the fleet come to
// rest and audits what is left, and what was said of it meanwhile. What happens when is a function of the seed. The last
// line is JSON.

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ServiceUnavailable } from '@mcpinfra/tools';
import { audit } from './audit.js';
import { repeated, repeatedTooOften } from './event-log.js';
import { falseRecoveries } from './conditions.js';
import { EngineDiary } from './engine-diary.js';
import { type Fleet, startFleet } from './fleet.js';
import { Faulting } from './faulting.js';
import { HealthWatch } from './health-watch.js';
import { Killing } from './killing.js';
import { Outages } from './outages.js';
import { type FaultClass, faultClasses, scheduleOf } from './schedule.js';
import { seconds } from './seconds.js';
import { Wishes } from './wishes.js';

/** So long everything may take to come to rest: an engine's return, a lease's time and two comparisons of everything. */
const restMs = 150_000;
/** So long everything that is broken may take to be whole again, and everything asked to be answered. */
const settleMs = 150_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '3' },
    faults: { type: 'string', default: faultClasses.join() },
  },
});
const [lasting, seed, workers] = [values.seconds, values.seed, values.workers].map(Number);
const classes = classesOf(values.faults);
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());

try {
  const fleet = await startFleet(whole('workers', workers), interrupted.signal);
  try {
    await run(fleet, { lasting: whole('seconds', lasting), seed: whole('seed', seed, 0), classes });
  } finally {
    await fleet[Symbol.asyncDispose]();
  }
} catch (error) {
  if (!(error instanceof ServiceUnavailable)) throw error;
  console.error(`SKIPPED: ${error.message}`);
  console.log(JSON.stringify({ chaos: { skipped: error.message } }));
  process.exitCode = process.env['CI'] === undefined || process.env['CI'] === '' ? 0 : 1;
}

interface Run {
  /** In seconds. */
  readonly lasting: number;
  readonly seed: number;
  readonly classes: readonly FaultClass[];
}

async function run(fleet: Fleet, { lasting, seed, classes }: Run): Promise<void> {
  const { operations, kills, faults } = scheduleOf(seed, lasting, classes);
  const wishes = new Wishes(fleet.api);
  const outages = new Outages();
  const killing = new Killing(fleet, outages, interrupted.signal);
  const faulting = new Faulting(fleet, wishes, outages);
  const diary = new EngineDiary(fleet.engine.socketPath);
  const watch = new HealthWatch(fleet.members, outages);
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
    ...faults.map(({ atMs, fault }) => ({
      atMs,
      begin: () => faulting.begin(fault),
      text: `FAULT ${fault.kind} of ${fault.which === null ? 'all' : 'one'} for ${String(fault.forMs)} ms`,
    })),
  ].sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, begin, text } of steps) {
    await sleep(Math.max(0, atMs - outages.nowMs), undefined, { signal: interrupted.signal }).catch(
      () => undefined,
    );
    if (interrupted.signal.aborted) break;
    console.log(`${seconds(atMs).padStart(8)}  ${text}`);
    begin();
  }
  const settled = Promise.all([outages.settled(), wishes.settled()]).then(() => true);
  const isSettled = await Promise.race([settled, sleep(settleMs, false, { ref: false })]);
  const restedMs = outages.nowMs;
  console.log(`quiet at ${seconds(restedMs)}`);
  const { duplicates, unhealthy, stuck, events, ...found } = await audit(fleet, wishes.all, restMs);
  await diary.stop();
  await watch.stop();
  const repeatedEvents = repeated(fleet.handledFile);
  const problems = {
    ...found,
    repeatedTooOften: repeatedTooOften(repeatedEvents, outages.counts),
    duplicateRuntimes: [...duplicates, ...diary.duplicates],
    stuck: [
      ...stuck,
      ...outages.failed,
      ...fleet.members.flatMap(({ deaths }) => deaths),
      ...(isSettled ? [] : ['something was not mended, or an operation not answered']),
    ],
    refused: wishes.refused,
    recoveredFalsely: falseRecoveries(events, outages.all, {
      startedAtMs: outages.startedAtMs,
      everybody: fleet.members.length,
    }),
    healthHung: watch.hung,
    healthRejected: watch.rejected,
    healthWrong: [...watch.wrong, ...faulting.wronglyHealthy, ...unhealthy],
  };
  for (const [kind, sentences] of Object.entries(problems))
    for (const text of sentences.slice(0, 20)) console.log(`${kind}: ${text}`);
  const counts = Object.fromEntries(Object.entries(problems).map(([kind, { length }]) => [kind, length]));
  const ok = Object.values(counts).every((count) => count === 0) && !interrupted.signal.aborted;
  console.log(`at rest after ${seconds(outages.nowMs - restedMs)}`);
  if (!ok && existsSync(fleet.folder)) await keepLogs(fleet.folder);
  const { kills: killed = 0, ...faulted } = Object.fromEntries(outages.counts);
  const result = {
    seed,
    operations: wishes.accepted,
    kills: killed,
    faults: faulted,
    repeatedEvents,
    ...counts,
    ok,
  };
  console.log(JSON.stringify({ chaos: result }));
  if (!ok) process.exitCode = 1;
}

/** The logs of a run that went wrong are worth more than its folder's tidiness. */
async function keepLogs(folder: string): Promise<void> {
  const { cp } = await import('node:fs/promises');
  await cp(folder, 'chaos-logs', { recursive: true, force: true, filter: (path) => !path.endsWith('.sock') });
  console.log('the logs of every process are in chaos-logs/');
}

function whole(name: string, value: number | undefined, least = 1): number {
  if (value !== undefined && Number.isSafeInteger(value) && value >= least) return value;
  console.error(`Expected --${name} to be a whole number of at least ${String(least)}.`);
  process.exit(2);
}

function classesOf(list: string): readonly FaultClass[] {
  const names = list.split(',');
  const unknown = names.find((name) => !(faultClasses as readonly string[]).includes(name));
  if (unknown === undefined) return faultClasses.filter((name) => names.includes(name));
  console.error(
    `Expected --faults to name some of ${faultClasses.join(', ')}, not ${JSON.stringify(unknown)}.`,
  );
  process.exit(2);
}
