import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stopDockerEngine } from './docker-engine.js';
import { identify } from './process-identity.js';
import { currentTestRun, type TestRun } from './shared-root.js';
import { createRoot, removeRoot, sweepAbandoned } from './throwaway-root.js';

/** Lets all workers of a vitest run share one engine, which the first test that asks starts: a `globalSetup`. */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  // Each project of the configuration calls it.
  if (process.env['MCPINFRA_TEST_RUN'] !== undefined) return undefined;
  const owner = identify(process.pid);
  if (owner === undefined) return undefined;
  await sweepAbandoned('run', removeRoot);
  const run: TestRun = { folder: await createRoot('run', owner), owner };
  process.env['MCPINFRA_TEST_RUN'] = JSON.stringify(run);
  return teardown;
}

async function teardown(): Promise<void> {
  const run = currentTestRun();
  if (run === undefined) return;
  if ((await readdir(run.folder)).includes('docker')) {
    await stopDockerEngine(await readFile(join(run.folder, 'docker'), 'utf8'));
  }
  await removeRoot(run.folder);
  delete process.env['MCPINFRA_TEST_RUN'];
}
