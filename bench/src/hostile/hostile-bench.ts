import type { BenchOptions, BenchReport } from '../bench.js';
import { interleave } from '../interleave.js';
import { rounded, spreadOf } from '../statistics.js';
import { Neighbours } from './neighbours.js';
import type { Reading } from './readings.js';

type Side = 'alone' | 'elsewhere' | 'beside';

const goals = { ratio: 1.5, memoryMegabytes: 100 };

/**
 * Measures the calls of fifty good servers with hostile ones in the same host, against the same fifty while another host
 * has those: what the hostile take of the machine's processors they take on either side. The fifty alone are shown too.
 */
export async function hostileBench({ rounds, signal }: BenchOptions): Promise<BenchReport> {
  const neighbours = new Neighbours();
  try {
    await neighbours.open(signal);
    const sides = {
      alone: () => neighbours.measure(signal),
      elsewhere: () => neighbours.measureBesideOtherHost(signal),
      beside: () => neighbours.measureBesideHostile(signal),
    };
    const samples = await interleave(sides, { rounds, signal });
    const p99Of = (side: Side): number => medianOf(samples[side], ({ p99Ms }) => p99Ms);
    const memoryOf = (side: Side): number => mostOf(samples[side], ({ memoryMegabytes }) => memoryMegabytes);
    const stallOf = (side: Side): number => mostOf(samples[side], ({ stallMs }) => stallMs);
    const cpuOf = (side: Side): number => medianOf(samples[side], ({ cpuShare }) => cpuShare);
    const row = (name: string, side: Side): string[] => [
      name,
      p99Of(side).toFixed(1),
      stallOf(side).toFixed(0),
      memoryOf(side).toFixed(0),
      `${(cpuOf(side) * 100).toFixed(0)} %`,
    ];
    const ratio = p99Of('beside') / p99Of('elsewhere');
    const extraMegabytes = memoryOf('beside') - memoryOf('alone');
    return {
      table: [
        ['fifty good servers', 'p99 ms', 'stall ms', 'host MB', 'host CPU'],
        row('alone', 'alone'),
        row('hostile ones in another host', 'elsewhere'),
        row('hostile ones in the same host', 'beside'),
      ],
      result: {
        ratio: rounded(ratio, 3),
        goal: goals.ratio,
        ok: ratio <= goals.ratio && extraMegabytes <= goals.memoryMegabytes,
        rounds,
        p99Ms: rounded(p99Of('beside'), 1),
        floorP99Ms: rounded(p99Of('elsewhere'), 1),
        aloneP99Ms: rounded(p99Of('alone'), 1),
        stallMs: Math.round(stallOf('beside')),
        floorStallMs: Math.round(stallOf('elsewhere')),
        extraMegabytes: Math.round(extraMegabytes),
        extraMegabytesGoal: goals.memoryMegabytes,
        cpuShare: rounded(cpuOf('beside'), 2),
        floorCPUShare: rounded(cpuOf('elsewhere'), 2),
        failedCalls: samples.beside.reduce((sum, { failedCalls }) => sum + failedCalls, 0),
      },
    };
  } finally {
    await neighbours.close();
  }
}

function medianOf(readings: readonly Reading[], of: (reading: Reading) => number): number {
  return spreadOf(readings.map(of)).median;
}

function mostOf(readings: readonly Reading[], of: (reading: Reading) => number): number {
  return Math.max(...readings.map(of));
}
