import type { BenchOptions, BenchReport } from '../bench.js';
import { interleave } from '../interleave.js';
import { rounded, spreadOf } from '../statistics.js';
import { Neighbours } from './neighbours.js';

const goals = { ratio: 1.5, memoryMegabytes: 100 };

/** Measures the calls of fifty good servers with hostile ones beside them, against the same fifty alone. */
export async function hostileBench({ rounds, signal }: BenchOptions): Promise<BenchReport> {
  const neighbours = new Neighbours();
  try {
    await neighbours.open(signal);
    const sides = {
      alone: () => neighbours.measure(signal),
      beside: () => neighbours.measureBesideHostile(signal),
    };
    const samples = await interleave(sides, { rounds, signal });
    const p99 = { alone: p99Of(samples.alone), beside: p99Of(samples.beside) };
    const memory = (side: 'alone' | 'beside'): number =>
      Math.max(...samples[side].map(({ memoryMegabytes }) => memoryMegabytes));
    const cpu = (side: 'alone' | 'beside'): number =>
      spreadOf(samples[side].map(({ cpuShare }) => cpuShare)).median;
    const stall = (side: 'alone' | 'beside'): number =>
      Math.max(...samples[side].map(({ stallMs }) => stallMs));
    const ratio = p99.beside / p99.alone;
    const extraMegabytes = memory('beside') - memory('alone');
    return {
      table: [
        ['', 'p99 ms', 'stall ms', 'host MB', 'host CPU'],
        [
          'fifty good servers',
          p99.alone.toFixed(1),
          stall('alone').toFixed(0),
          memory('alone').toFixed(0),
          percent(cpu('alone')),
        ],
        [
          'and hostile ones',
          p99.beside.toFixed(1),
          stall('beside').toFixed(0),
          memory('beside').toFixed(0),
          percent(cpu('beside')),
        ],
      ],
      result: {
        ratio: rounded(ratio, 3),
        goal: goals.ratio,
        ok: ratio <= goals.ratio && extraMegabytes <= goals.memoryMegabytes,
        rounds,
        p99Ms: rounded(p99.beside, 1),
        floorP99Ms: rounded(p99.alone, 1),
        stallMs: Math.round(stall('beside')),
        floorStallMs: Math.round(stall('alone')),
        extraMegabytes: Math.round(extraMegabytes),
        extraMegabytesGoal: goals.memoryMegabytes,
        cpuShare: rounded(cpu('beside'), 2),
        floorCPUShare: rounded(cpu('alone'), 2),
        failedCalls: samples.beside.reduce((sum, { failedCalls }) => sum + failedCalls, 0),
      },
    };
  } finally {
    await neighbours.close();
  }
}

function p99Of(samples: readonly { readonly p99Ms: number }[]): number {
  return spreadOf(samples.map(({ p99Ms }) => p99Ms)).median;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
