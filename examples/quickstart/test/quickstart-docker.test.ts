import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { startDockerEngine } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { askEngine } from '../src/engine.js';
import { goodEnd, isFleetOf, processesOf, start, type Run } from './quickstart-run.js';

const engine = serviceOrSkip(startDockerEngine);

interface Labelled {
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

function startWithEngine(environment: Record<string, string> = {}): Run {
  return start({ MCPINFRA_TEST_DOCKER_HOST: engine().dockerHost, ...environment });
}

/** The ids of everything the engine has of a run. */
async function remainsOf(run: Run): Promise<string[]> {
  const { socketPath } = engine();
  const containers = await askEngine<Labelled[]>(socketPath, '/containers/json?all=1');
  const networks = await askEngine<Labelled[]>(socketPath, '/networks');
  const own = [...containers, ...networks].filter(({ Labels }) =>
    isFleetOf(run, Labels?.['io.mcpinfra.fleet']),
  );
  return own.map(({ Id }) => Id);
}

// Building its images comes on top of a run.
describe('the quickstart with a container engine', { timeout: 90_000 }, () => {
  it('runs the same servers in containers too, and leaves nothing in the engine', async () => {
    const apiKey = `key-${randomUUID()}`;
    const run = startWithEngine({ QUICKSTART_API_KEY: apiKey });
    const lines = await goodEnd(run);
    expect(lines.at(-1)).toBe('quickstart ok: 6 instances, 6 tool calls, 2 recoveries, docker');
    expect(run.output()).toMatch(/everything-docker +\d+ tools, get-env: API_KEY has arrived/);
    expect(run.output()).toMatch(/filesystem-docker +running again after [\d.]+ s as process \d+/);
    expect(run.output()).not.toContain(apiKey);
    expect(processesOf(run)).toEqual([]);
    expect(await remainsOf(run)).toEqual([]);
  });

  it('removes the containers of a run that was killed', async () => {
    const killed = startWithEngine();
    const isUp = (): boolean => /everything-docker +starting → running/.test(killed.output());
    await vi.waitUntil(isUp, { timeout: 60_000, interval: 5 });
    killed.host.kill('SIGKILL');
    await killed.ended;
    expect(await remainsOf(killed)).not.toEqual([]);

    const next = startWithEngine();
    const lines = await goodEnd(next);
    expect(lines).toContainEqual(expect.stringMatching(/^cleaned: \d+ servers? of an earlier run$/));
    // The network of a container goes right after it.
    await vi.waitUntil(async () => (await remainsOf(killed)).length === 0, { timeout: 10_000 });
    expect(await remainsOf(next)).toEqual([]);
  });

  it('removes its containers when it is interrupted', async () => {
    const run = startWithEngine();
    const isUnderWay = (): boolean => /-docker +pending → starting/.test(run.output());
    await vi.waitUntil(isUnderWay, { timeout: 60_000, interval: 5 });
    run.host.kill('SIGINT');
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('quickstart failed: It was ended by SIGINT');
    expect(await remainsOf(run)).toEqual([]);
    expect(processesOf(run)).toEqual([]);
  });
});
