import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withMachineLock } from './machine-lock.js';
import type { ProcessIdentity } from './process-identity.js';

/** What the process of a whole test run passes to its workers in MCPINFRA_TEST_RUN. */
export interface TestRun {
  readonly folder: string;
  readonly owner: ProcessIdentity;
}

/** Reads the variable; undefined outside a test run, or on a system that could not lock what its workers share. */
export function currentTestRun(): TestRun | undefined {
  const variable = process.env['MCPINFRA_TEST_RUN'];
  if (variable === undefined || process.platform !== 'linux') return undefined;
  return JSON.parse(variable) as TestRun;
}

/** Gives the folder of the test run's service of this name, started by who asks first; undefined outside a test run. */
export async function sharedRoot(
  name: string,
  start: (owner: ProcessIdentity) => Promise<string>,
): Promise<string | undefined> {
  const run = currentTestRun();
  if (run === undefined) return undefined;
  const file = join(run.folder, name);
  return await withMachineLock(`${name}-of-${run.owner.pid}`, async () => {
    const existing = await readFile(file, 'utf8').catch(() => undefined);
    if (existing !== undefined) return existing;
    const root = await start(run.owner);
    await writeFile(file, root);
    return root;
  });
}
