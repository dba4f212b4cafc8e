import { type Fault, faultKinds, faultsOf } from './fault-schedule.js';
import { type Tenant, tenants } from './member-protocol.js';
import { randomOf } from './random.js';

/** Something a user of the fleet asks for. */
export type Operation =
  | {
      readonly kind: 'create';
      readonly name: string;
      readonly transport: 'stdio' | 'http';
      readonly tenant: Tenant;
    }
  | { readonly kind: 'update'; readonly name: string; readonly value: string }
  | { readonly kind: 'stop' | 'start' | 'restart' | 'delete'; readonly name: string };

/** Something that breaks, and for how long it stays broken. */
export interface Kill {
  readonly victim: Victim;
  /** Which of several: taken modulo how many there are. */
  readonly which: number;
  /** Until it is started again or goes on. */
  readonly awayMs: number;
}

type Victim = 'api' | 'worker' | 'frozen-worker' | 'redis' | 'postgres' | 'dockerd' | 'container';

/** What happens in a run, each with its time from the start in milliseconds. */
export interface Schedule {
  readonly operations: readonly { readonly atMs: number; readonly operation: Operation }[];
  readonly kills: readonly { readonly atMs: number; readonly kill: Kill }[];
  readonly faults: readonly { readonly atMs: number; readonly fault: Fault }[];
}

/** What may be chosen to happen: kills, and each fault that no kill makes. */
export const faultClasses = ['kills', ...faultKinds] as const;

/** One of {@link faultClasses}. */
export type FaultClass = (typeof faultClasses)[number];

/** What the names begin with of instances that nobody changes any more: faults have time to show in them. */
export const untouched = 'untouched';

const mostInstances = 8;
/** How long each is away: a frozen worker longer than its lease, an engine as long as it takes to come back. */
const awayMs: Readonly<Record<Victim, readonly [number, number]>> = {
  api: [200, 2_000],
  worker: [200, 6_000],
  'frozen-worker': [16_000, 24_000],
  redis: [200, 4_000],
  postgres: [200, 4_000],
  dockerd: [500, 3_000],
  container: [0, 0],
};

/** Says what happens in a run of so many seconds: the same for the same seed, less what is not of the classes. */
export function scheduleOf(
  seed: number,
  seconds: number,
  classes: readonly FaultClass[] = faultClasses,
): Schedule {
  const endMs = seconds * 1_000;
  return {
    operations: operationsOf(seed, endMs),
    kills: classes.includes('kills') ? killsOf(seed, endMs) : [],
    faults: faultsOf(
      seed,
      endMs,
      faultKinds.filter((kind) => classes.includes(kind)),
    ),
  };
}

function operationsOf(seed: number, endMs: number): Schedule['operations'] {
  const random = randomOf(seed);
  const operations: { atMs: number; operation: Operation }[] = (['stdio', 'http'] as const).map(
    (transport) => ({
      atMs: 0,
      operation: { kind: 'create', name: `${untouched}-${transport}`, transport, tenant: tenants[0] },
    }),
  );
  const alive: string[] = [];
  const stopped = new Set<string>();
  let made = 0;
  for (let atMs = 100; atMs < endMs; atMs += random.whole(200, 1_500)) {
    const room = mostInstances - alive.length;
    const kind = random.pick([
      ['create', room * 2],
      ['update', alive.length],
      ['stop', alive.length / 2],
      ['start', alive.length / 2],
      ['restart', alive.length / 2],
      ['delete', alive.length / 2],
    ] as const);
    if (kind === 'create') {
      const name = `chaos-${String(++made)}`;
      alive.push(name);
      const transport = random.next() < 0.6 ? 'stdio' : 'http';
      operations.push({
        atMs,
        operation: { kind, name, transport, tenant: tenants[made % 2] ?? tenants[0] },
      });
      continue;
    }
    const name = alive[random.whole(0, alive.length - 1)];
    if (name === undefined) continue;
    operations.push({ atMs, operation: follow(kind, name, { stopped, count: operations.length }) });
    if (kind === 'delete') alive.splice(alive.indexOf(name), 1);
  }
  return operations;
}

/** What is asked of an instance that is there: what is stopped can be started, but not restarted. */
function follow(
  kind: Exclude<Operation['kind'], 'create'>,
  name: string,
  { stopped, count }: { readonly stopped: Set<string>; readonly count: number },
): Operation {
  if (kind === 'update') return { kind, name, value: String(count) };
  const possible = kind === 'restart' && stopped.has(name) ? 'start' : kind;
  if (possible === 'stop') stopped.add(name);
  if (possible === 'start') stopped.delete(name);
  return { kind: possible, name };
}

function killsOf(seed: number, endMs: number): Schedule['kills'] {
  // A sequence of its own, so that a longer run begins like a shorter one.
  const random = randomOf(seed ^ 0x5bd1e995);
  const kills: { atMs: number; kill: Kill }[] = [];
  for (let atMs = random.whole(2_000, 4_000); atMs < endMs; atMs += random.whole(1_500, 5_000)) {
    const victim = random.pick<Victim>([
      ['api', 3],
      ['worker', 5],
      ['frozen-worker', 2],
      ['redis', 3],
      ['postgres', 2],
      ['dockerd', 1],
      ['container', 5],
    ]);
    const [least, most] = awayMs[victim];
    kills.push({ atMs, kill: { victim, which: random.whole(0, 1_000), awayMs: random.whole(least, most) } });
  }
  return kills;
}
