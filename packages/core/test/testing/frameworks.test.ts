import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const core = new URL('../../', import.meta.url);

it('works under node:test, and lets the process end', async () => {
  const program = fileURLToPath(new URL('test/fixtures/host-test.mjs', core));
  const { NODE_OPTIONS: _unset, ...env } = process.env;
  const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', program], {
    env,
    timeout: 20_000,
  });
  expect(stdout).toMatch(/^# pass 1$/mu);
  expect(stdout).toMatch(/^# fail 0$/mu);
});

it('loads no test framework, which is what lets it work under any', async () => {
  const dist = new URL('dist/', core);
  const files = (await readdir(dist, { recursive: true })).filter((name) => name.endsWith('.js'));
  expect(files).toContain('testing/index.js');
  const imported = new Set<string>();
  for (const file of files) {
    const text = await readFile(new URL(file, dist), 'utf8');
    for (const [, name] of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"'.][^"']*)["']/gu))
      imported.add(String(name));
  }
  const frameworks = ['vitest', 'jest', '@jest/globals', 'mocha', 'node:test', 'ava', 'tap'];
  expect(frameworks.filter((name) => imported.has(name))).toEqual([]);
  expect(imported).toContain('@modelcontextprotocol/client');
});
