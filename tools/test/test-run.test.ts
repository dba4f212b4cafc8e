import { existsSync } from 'node:fs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startDockerEngine, startPrivateDockerEngine } from '../src/index.js';
import { setup } from '../src/services/test-run.js';
import { serviceOrSkip } from '../src/vitest.js';
import { ServerProcess } from './support/server-process.js';
import { builtProgram } from '../src/package-folder.js';
import { eventually } from './support/eventually.js';

// Skips where none can be started; the tests start their own.
serviceOrSkip(startPrivateDockerEngine);

it(
  'shares one engine among all who ask in a run, and ends it with the run',
  { timeout: 60_000 },
  async () => {
    vi.stubEnv('MCPINFRA_TEST_DOCKER_HOST', undefined);
    vi.stubEnv('MCPINFRA_TEST_RUN', undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const teardown = await setup();
    const [first, second] = await Promise.all([startDockerEngine(), startDockerEngine()]);
    expect(second.dockerHost).toBe(first.dockerHost);
    await first.stop();
    expect(existsSync(second.socketPath)).toBe(true);
    await teardown!();
    expect(existsSync(second.socketPath)).toBe(false);
  },
);

it('takes away what a killed process has left, at the next start', { timeout: 60_000 }, async () => {
  const killed = new ServerProcess(builtProgram('cli.js'), ['docker', 'mcp/test:latest']);
  await expect.poll(() => killed.messages.length, { ...eventually, timeout: 60_000 }).toBe(1);
  const { dockerHost, pid } = killed.messages[0] as { dockerHost: string; pid: number };
  killed.signal('SIGKILL');
  await killed.exited;
  const next = await startPrivateDockerEngine();
  onTestFinished(async () => next.stop());
  expect(existsSync(dockerHost.replace('unix://', ''))).toBe(false);
  expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
});
