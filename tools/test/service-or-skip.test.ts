import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

it('skips the tests of a service that cannot be had, counted and with the reason', async () => {
  const { output, code } = await runWith({ CI: '' });
  expect(output).toMatch(/1 skipped/);
  expect(output).toContain('SKIPPED: The moon is not available: it is new');
  expect(code).toBe(0);
});

it('fails them under CI', async () => {
  const { output, code } = await runWith({ CI: 'true' });
  expect(output).toContain('ServiceUnavailable: The moon is not available: it is new');
  expect(code).toBe(1);
});

async function runWith(environment: object): Promise<{ output: string; code: number }> {
  const argv = [vitest, 'run', `--root=${join(import.meta.dirname, 'fixtures')}`];
  const env = { PATH: process.env['PATH'], NO_COLOR: '1', ...environment };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, argv, { env });
    return { output: stdout + stderr, code: 0 };
  } catch (cause) {
    const { stdout, stderr, code } = cause as { stdout: string; stderr: string; code: number };
    return { output: stdout + stderr, code };
  }
}
