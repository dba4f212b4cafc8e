import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const positive: unknown = expect.toSatisfy((value: unknown) => typeof value === 'number' && value > 0);
const number: unknown = expect.any(Number);
const verdict: unknown = expect.any(Boolean);

async function run(...args: string[]) {
  return promisify(execFile)(process.execPath, [program, ...args]);
}

async function lastLine(...args: string[]): Promise<unknown> {
  const { stdout } = await run(...args);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

describe('a bench', () => {
  it('ends with a line that says what importing core costs', async () => {
    expect(await lastLine('import', '--rounds', '1')).toMatchObject({
      bench: 'import',
      ratio: number,
      goal: 1,
      ok: verdict,
      rounds: 1,
      extraMs: number,
      ownKbMinGzip: positive,
      loaded: positive,
      eager: [],
    });
  });

  it('ends with a line that compares the life of a process with one started by hand', async () => {
    const transport = {
      ratio: positive,
      ok: verdict,
      readyMs: positive,
      floorReadyMs: positive,
      crashSeenMs: positive,
      crashServingMs: positive,
      floorCrashMs: positive,
    };
    expect(await lastLine('lifecycle', '--provider', 'process', '--rounds', '1')).toMatchObject({
      bench: 'lifecycle',
      ratio: positive,
      goal: 1.05,
      ok: verdict,
      provider: 'process',
      rounds: 1,
      stdio: transport,
      http: transport,
    });
  });

  it('ends with a line that compares events over Redis with the same by hand', async () => {
    const found = await lastLine('events', '--rounds', '1');
    if (typeof found === 'object' && found !== null && 'skipped' in found) return;
    expect(found).toMatchObject({
      bench: 'events',
      ratio: positive,
      goal: 0.6,
      ok: verdict,
      rounds: 1,
      lost: 0,
      publishRatio: positive,
      p99Ratio: positive,
      wishP99Ms: positive,
      wishP99MsGoal: 2_000,
    });
    // Three workers are killed in turn.
  }, 240_000);

  it('that does not exist is refused with the names of those that do', async () => {
    await expect(run('speed')).rejects.toMatchObject({
      code: 2,
      stderr: 'Expected a bench of events, hostile, import, lifecycle, store, got "speed".\n',
    });
  });
});
