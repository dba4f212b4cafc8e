import { startPrivateRedis } from '@mcpinfra/tools';
import type { BenchOptions, BenchReport } from '../bench.js';
import { interleave } from '../interleave.js';
import { rounded, spreadOf, type Spread } from '../statistics.js';
import { exampleEvents } from './example-events.js';
import { openFleetRoute } from './fleet-route.js';
import { handledPerSecond, publishedPerSecond } from './flood.js';
import { lostOverAKill } from './lost-over-a-kill.js';
import { pacedLatency } from './paced-latency.js';
import { openRawRoute } from './raw-route.js';
import type { OpenRoute } from './route.js';
import { wishP99OverAKill } from './wish-over-a-kill.js';

const goals = { ratio: 0.6, p99Ratio: 2, lost: 0, wishP99Ms: 2_000 };

/** Measures publish → handler over Redis against the same by hand, and what a killed process loses and delays. */
export async function eventsBench({ rounds, signal }: BenchOptions): Promise<BenchReport> {
  const redis = await startPrivateRedis();
  try {
    const [flood, paced] = [exampleEvents(10_000), exampleEvents(2_000)];
    const measure = async (open: OpenRoute): Promise<Sample> => {
      // First, as the garbage of a flood is collected long after it.
      const { p50, p99 } = await pacedLatency(open, redis.url, paced);
      const handled = await handledPerSecond(open, redis.url, flood);
      const published = await publishedPerSecond(open, redis.url, flood);
      return { handled, published, p50, p99 };
    };
    const sides = { ours: () => measure(openFleetRoute), floor: () => measure(openRawRoute) };
    const samples = await interleave(sides, { rounds, signal });
    return report(spreadsOf(samples.ours), spreadsOf(samples.floor), {
      rounds,
      lost: await lostOverAKill(redis.url),
      wishP99Ms: Math.round(await wishP99OverAKill(redis.url)),
    });
  } finally {
    await redis.stop();
  }
}

/** Events a second, and milliseconds to the handler at 1,000 a second. */
interface Sample {
  readonly handled: number;
  readonly published: number;
  readonly p50: number;
  readonly p99: number;
}

type Spreads = Readonly<Record<keyof Sample, Spread>>;

function spreadsOf(samples: readonly Sample[]): Spreads {
  const of = (part: keyof Sample): Spread => spreadOf(samples.map((sample) => sample[part]));
  return { handled: of('handled'), published: of('published'), p50: of('p50'), p99: of('p99') };
}

function report(
  ours: Spreads,
  floor: Spreads,
  about: { readonly rounds: number; readonly lost: number; readonly wishP99Ms: number },
): BenchReport {
  const ratio = (part: keyof Sample): number => ours[part].median / floor[part].median;
  const p99Ratio = ratio('p99');
  return {
    table: [
      ['', 'bus', 'p10–p90', 'floor', 'p10–p90', 'ratio'],
      row('publish → handler, events/s', ours.handled, floor.handled, 0),
      row('publish alone, events/s', ours.published, floor.published, 0),
      row('at 1,000/s: p50 ms', ours.p50, floor.p50, 2),
      row('at 1,000/s: p99 ms', ours.p99, floor.p99, 2),
    ],
    result: {
      ratio: rounded(ratio('handled'), 3),
      goal: goals.ratio,
      ok:
        ratio('handled') >= goals.ratio &&
        p99Ratio <= goals.p99Ratio &&
        about.lost === goals.lost &&
        about.wishP99Ms <= goals.wishP99Ms,
      ...about,
      wishP99MsGoal: goals.wishP99Ms,
      publishRatio: rounded(ratio('published'), 3),
      p99Ratio: rounded(p99Ratio, 3),
      p99RatioGoal: goals.p99Ratio,
      perSecond: Math.round(ours.handled.median),
      floorPerSecond: Math.round(floor.handled.median),
      p99Ms: rounded(ours.p99.median, 2),
      floorP99Ms: rounded(floor.p99.median, 2),
    },
  };
}

function row(name: string, ours: Spread, floor: Spread, decimals: number): string[] {
  const cells = ({ median, p10, p90 }: Spread): string[] => [
    median.toFixed(decimals),
    `${p10.toFixed(decimals)}–${p90.toFixed(decimals)}`,
  ];
  return [name, ...cells(ours), ...cells(floor), (ours.median / floor.median).toFixed(2)];
}
