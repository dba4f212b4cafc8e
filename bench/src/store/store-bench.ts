import type { BenchOptions, BenchReport } from '../bench.js';
import { interleave } from '../interleave.js';
import { rounded, spreadOf, type Spread } from '../statistics.js';
import { rawPages, storePages } from './pages.js';
import { type ResyncCost, resyncCost } from './resync-cost.js';
import { StoreGround } from './store-ground.js';
import { rawWrites, storeWrites } from './writes.js';

const goals = { writes: 0.8, page: 1.25 };

/** Measures a change of state with its event, and a page of 100 among 100,000, against statements written by hand. */
export async function storeBench({ rounds, signal }: BenchOptions): Promise<BenchReport> {
  const ground = await StoreGround.open();
  try {
    const one = { parallel: 1, first: 0 };
    const many = { parallel: 16, first: 1 };
    const samples = await interleave(
      {
        one: storeWrites(ground, one),
        oneFloor: rawWrites(ground, one, 'floor_bench'),
        oneBare: rawWrites(ground, one, 'bare_bench'),
        many: storeWrites(ground, many),
        manyFloor: rawWrites(ground, many, 'floor_bench'),
        manyBare: rawWrites(ground, many, 'bare_bench'),
        page: storePages(ground),
        pageFloor: rawPages(ground),
      },
      { rounds, signal },
    );
    const resync = await resyncCost(ground, rounds);
    return report(
      {
        one: compare(samples.one, samples.oneFloor),
        many: compare(samples.many, samples.manyFloor),
        oneBare: compare(samples.one, samples.oneBare),
        manyBare: compare(samples.many, samples.manyBare),
        page: compare(samples.page, samples.pageFloor),
      },
      { resync, rounds },
    );
  } finally {
    await ground.close();
  }
}

interface Comparison {
  readonly ours: Spread;
  readonly floor: Spread;
  readonly ratio: number;
}

function compare(ours: readonly number[], floor: readonly number[]): Comparison {
  const spreads = { ours: spreadOf(ours), floor: spreadOf(floor) };
  return { ...spreads, ratio: spreads.ours.median / spreads.floor.median };
}

function report(
  {
    one,
    many,
    oneBare,
    manyBare,
    page,
  }: Readonly<Record<'one' | 'many' | 'oneBare' | 'manyBare' | 'page', Comparison>>,
  { resync, rounds }: { readonly resync: ResyncCost; readonly rounds: number },
): BenchReport {
  const ratio = Math.min(one.ratio, many.ratio);
  return {
    table: [
      ['', 'ours', 'p10–p90', 'floor', 'p10–p90', 'ratio'],
      row('state change and event a second, one at a time', one, 0),
      row('state change and event a second, 16 at once', many, 0),
      row('the same on bare tables, one at a time', oneBare, 0),
      row('the same on bare tables, 16 at once', manyBare, 0),
      row('page of 100 among 100,000, ms', page, 2),
      [
        'CPU of comparing 10,000 instances, ms',
        resync.cpuMs.toFixed(0),
        '',
        resync.floorCpuMs.toFixed(0),
        '',
        (resync.cpuMs / resync.floorCpuMs).toFixed(2),
      ],
    ],
    result: {
      ratio: rounded(ratio, 3),
      goal: goals.writes,
      ok: ratio >= goals.writes && page.ratio <= goals.page,
      oneRatio: rounded(one.ratio, 3),
      manyRatio: rounded(many.ratio, 3),
      bareRatio: rounded(Math.min(oneBare.ratio, manyBare.ratio), 3),
      pageRatio: rounded(page.ratio, 3),
      pageGoal: goals.page,
      resyncCpuMs: rounded(resync.cpuMs, 0),
      resyncFloorCpuMs: rounded(resync.floorCpuMs, 0),
      rounds,
    },
  };
}

function row(name: string, { ours, floor, ratio }: Comparison, decimals: number): readonly string[] {
  const range = ({ p10, p90 }: Spread): string => `${p10.toFixed(decimals)}–${p90.toFixed(decimals)}`;
  return [
    name,
    ours.median.toFixed(decimals),
    range(ours),
    floor.median.toFixed(decimals),
    range(floor),
    ratio.toFixed(2),
  ];
}
