import type { BenchOptions, BenchReport } from '../bench.js';
import { interleave } from '../interleave.js';
import { rounded, spreadOf, type Spread } from '../statistics.js';
import { DockerGround } from './docker-ground.js';
import { FleetLives } from './fleet-lives.js';
import type { Ground } from './ground.js';
import type { Life, Transport } from './life.js';
import { ProcessGround } from './process-ground.js';

const goals = { ratio: 1.05, crashSeenMs: 150, crashExtraMs: 250 };
// Longer than anything here takes, so that a bench that hangs ends and says where.
const lifeTimeoutMs = 60_000;

/** Measures create → `running` and crash → `running` of core against the bare place doing the same work. */
export async function lifecycleBench({ rounds, provider, signal }: BenchOptions): Promise<BenchReport> {
  const ground: Ground = provider === 'docker' ? await DockerGround.open() : new ProcessGround();
  const fleet = new FleetLives(ground);
  const limit = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(lifeTimeoutMs)]);
  try {
    await fleet.open();
    const sides = {
      stdio: () => fleet.live('stdio', limit()),
      stdioFloor: () => ground.liveRaw('stdio', limit()),
      http: () => fleet.live('http', limit()),
      httpFloor: () => ground.liveRaw('http', limit()),
    };
    const lives = await interleave(sides, { rounds, signal });
    return report(
      { stdio: compare(lives.stdio, lives.stdioFloor), http: compare(lives.http, lives.httpFloor) },
      { provider, rounds },
    );
  } finally {
    await fleet.close().finally(() => ground.close());
  }
}

type Spreads = Readonly<Record<keyof Life, Spread>>;

interface Comparison {
  readonly core: Spreads;
  readonly floor: Spreads;
  readonly ratio: number;
  readonly ok: boolean;
}

function compare(core: readonly Life[], floor: readonly Life[]): Comparison {
  const ours = spreadsOf(core);
  const raw = spreadsOf(floor);
  const ratio = ours.readyMs.median / raw.readyMs.median;
  const ok =
    ratio <= goals.ratio &&
    ours.crashSeenMs.median <= goals.crashSeenMs &&
    ours.crashServingMs.median <= raw.crashServingMs.median + goals.crashExtraMs;
  return { core: ours, floor: raw, ratio, ok };
}

function spreadsOf(lives: readonly Life[]): Spreads {
  const of = (part: keyof Life): Spread => spreadOf(lives.map((life) => life[part]));
  return { readyMs: of('readyMs'), crashSeenMs: of('crashSeenMs'), crashServingMs: of('crashServingMs') };
}

function report(
  found: Readonly<Record<Transport, Comparison>>,
  about: { readonly provider: string; readonly rounds: number },
): BenchReport {
  const all = Object.entries(found);
  return {
    table: [
      ['', 'core ms', 'p10–p90', 'floor ms', 'p10–p90', 'ratio'],
      ...all.flatMap(([transport, { core, floor }]) => [
        row(`${transport}: create → running`, core.readyMs, floor.readyMs),
        row(`${transport}: SIGKILL → seen`, core.crashSeenMs, floor.crashSeenMs),
        row(`${transport}: SIGKILL → running`, core.crashServingMs, floor.crashServingMs),
      ]),
    ],
    result: {
      ratio: rounded(Math.max(...all.map(([, { ratio }]) => ratio)), 3),
      goal: goals.ratio,
      ok: all.every(([, { ok }]) => ok),
      ...about,
      crashSeenMsGoal: goals.crashSeenMs,
      crashExtraMsGoal: goals.crashExtraMs,
      ...Object.fromEntries(all.map(([transport, comparison]) => [transport, parts(comparison)])),
    },
  };
}

function parts({ core, floor, ratio, ok }: Comparison): Record<string, unknown> {
  const whole = (spread: Spread): number => Math.round(spread.median);
  return {
    ratio: rounded(ratio, 3),
    ok,
    readyMs: whole(core.readyMs),
    floorReadyMs: whole(floor.readyMs),
    crashSeenMs: whole(core.crashSeenMs),
    crashServingMs: whole(core.crashServingMs),
    floorCrashMs: whole(floor.crashServingMs),
  };
}

function row(name: string, core: Spread, floor: Spread): string[] {
  return [name, ...cells(core), ...cells(floor), (core.median / floor.median).toFixed(2)];
}

function cells({ median, p10, p90 }: Spread): string[] {
  return [median.toFixed(0), `${p10.toFixed(0)}–${p90.toFixed(0)}`];
}
