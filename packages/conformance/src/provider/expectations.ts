import { deepEqual, equal, fail, ok } from 'node:assert/strict';
import { type CopyRef, MCPInfraError, type Observation } from '@mcpinfra/core/plugin';
import type { ProviderBench } from './provider-bench.js';

/** An observation of a copy that runs. */
export type Running = Extract<Observation, { state: 'running' }>;
/** An observation of a copy that has ended. */
export type Exited = Extract<Observation, { state: 'exited' }>;

/** Demands that a copy runs. */
export function running(seen: Observation, what = 'the observation'): Running {
  return seen.state === 'running' ? seen : fail(`Expected ${what} to be running, it is ${seen.state}.`);
}

/** Demands that a copy has ended. */
export function exited(seen: Observation): Exited {
  return seen.state === 'exited' ? seen : fail(`Expected the copy to be exited, it is ${seen.state}.`);
}

/** Waits until a copy has ended. */
export async function exitOf(bench: ProviderBench, copy: CopyRef): Promise<Exited> {
  return bench.until('the copy has ended', async () => {
    const seen = await bench.provider.observe(copy);
    return seen.state === 'exited' ? seen : undefined;
  });
}

/** Demands that a call fails with an error of the library. */
export async function rejection(call: Promise<unknown>, what: string): Promise<MCPInfraError> {
  const error = await call.then(
    () => fail(`Expected ${what} to reject.`),
    (thrown: unknown) => thrown,
  );
  if (MCPInfraError.isInstance(error)) return error;
  if (error instanceof Error) throw error;
  return fail(`Expected ${what} to reject with an MCPInfraError.`);
}

/** Demands a time in ISO 8601, UTC. */
export function time(text: string, what: string): number {
  const atMs = Date.parse(text);
  ok(!Number.isNaN(atMs), `Expected ${what} to be a time, it is ${JSON.stringify(text)}.`);
  equal(new Date(atMs).toISOString(), text, `${what} is in the form of Date.toISOString()`);
  return atMs;
}

/** Demands that nothing is left of a copy. */
export async function nothingOf(bench: ProviderBench, copy: CopyRef): Promise<void> {
  deepEqual(await bench.provider.observe(copy), { state: 'absent' });
  deepEqual(await bench.listed(copy), []);
}
