import { randomOf } from './random.js';

/** The faults that no kill makes. */
export const faultKinds = [
  'postgres-readonly',
  'postgres-frozen',
  'postgres-refusing',
  'redis-frozen',
  'redis-refusing',
  'redis-resetting',
  'docker-frozen',
  'docker-refusing',
  'docker-silent',
  'pool-held',
  'server-frozen',
  'process-frozen',
  'redis-emptied',
  'redis-behind',
  'postgres-published',
  'postgres-restored',
] as const;

/** What is wrong for a while. */
export type FaultKind = (typeof faultKinds)[number];

/** Something that does not end, but does not work either, and for how long. */
export interface Fault {
  readonly kind: FaultKind;
  /** Which of several: taken modulo how many there are; `null` where it meets all. */
  readonly which: number | null;
  readonly forMs: number;
}

/** How long each lasts: shorter than anybody waits, or longer than everybody does. */
const brief = [1_000, 6_000] as const;
const long = [18_000, 26_000] as const;
/** Longer than it takes to notice one that stopped answering, and a fault beside it. */
const untilNoticed = [30_000, 70_000] as const;

/** What is there for all alike. */
const meetsEveryone: ReadonlySet<FaultKind> = new Set([
  'postgres-readonly',
  'postgres-published',
  'postgres-restored',
  'redis-emptied',
  'redis-behind',
]);
/** So that what is lost are some things, and not most. */
const whatIsLost: ReadonlySet<FaultKind> = new Set(['redis-behind', 'postgres-restored']);

/** What a process has a way of its own to, so that it may fail for one of them alone. */
const onTheWay: ReadonlySet<FaultKind> = new Set([
  'postgres-frozen',
  'postgres-refusing',
  'redis-frozen',
  'redis-refusing',
  'redis-resetting',
  'docker-frozen',
  'docker-refusing',
  'docker-silent',
]);

/** Says which faults begin in so many milliseconds: the same for the same seed, and for a kind whatever others there are. */
export function faultsOf(
  seed: number,
  endMs: number,
  kinds: readonly FaultKind[],
): readonly { readonly atMs: number; readonly fault: Fault }[] {
  return faultKinds
    .flatMap((kind, n) =>
      kinds.includes(kind) ? faultsOfKind(kind, (seed ^ 0x2c1b3c6d) + Math.imul(n, 0x9e3779b1), endMs) : [],
    )
    .sort((a, b) => a.atMs - b.atMs);
}

function faultsOfKind(kind: FaultKind, seed: number, endMs: number): { atMs: number; fault: Fault }[] {
  const random = randomOf(seed);
  const faults: { atMs: number; fault: Fault }[] = [];
  for (let atMs = random.whole(2_000, 20_000); atMs < endMs; atMs += random.whole(25_000, 60_000)) {
    const isBrief = random.next() < 0.5;
    const [least, most] =
      kind === 'server-frozen' ? untilNoticed : isBrief || whatIsLost.has(kind) ? brief : long;
    const meetsAll = onTheWay.has(kind) && random.next() < 0.6;
    const which = random.whole(0, 1_000);
    const forMs = random.whole(least, most);
    faults.push({
      atMs,
      fault: { kind, which: meetsAll || meetsEveryone.has(kind) ? null : which, forMs },
    });
  }
  return faults;
}
