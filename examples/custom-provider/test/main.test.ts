import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

it('runs a server from npm in a thread, calls its tool and ends', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 25_000 });
  expect(stdout).toContain('The sum of 19 and 23 is 42.');
});
