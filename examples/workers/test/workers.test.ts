import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

it('hands the work of a worker that ends or is killed to the others, while the API goes on', async ({
  skip,
}) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 150_000 });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  skip(last.startsWith('SKIPPED') && process.env['CI'] === undefined, last);
  expect(last).toMatch(/^workers ok: 6 servers, handed over in \d+\.\d s, taken over in \d+\.\d s$/u);
}, 160_000);
