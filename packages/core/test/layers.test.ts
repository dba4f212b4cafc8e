import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);
let tree: string;

beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'mcpinfra-layers-'));
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
  for (const file of ['.dependency-cruiser.mjs', 'tsconfig.base.json', 'package.json'])
    await cp(join(root, file), join(tree, file));
});
afterEach(() => rm(tree, { recursive: true }));

/** The names of the rules that a tree of these files breaks. */
async function broken(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(tree, 'packages/core/src', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'packages'];
  const { stdout } = await run(process.execPath, args, { cwd: tree, maxBuffer: 2 ** 26 }).catch(
    (error: unknown) => error as { stdout: string },
  );
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: readonly { rule: { name: string } }[] };
  };
  return [...new Set(summary.violations.map(({ rule }) => rule.name))].sort();
}

it('a room of services may import one below it', async () => {
  expect(
    await broken({
      'services/context/a.ts': 'export const a = 1;',
      'services/reconcile/b.ts': "export { a } from '../context/a.js';",
    }),
  ).toEqual([]);
});

it('an import of a room above is refused, a type-only one too', async () => {
  expect(
    await broken({
      'services/instances/a.ts': 'export interface A { a: 1 }',
      'services/health/b.ts': "import type { A } from '../instances/a.js';\nexport const b: A = { a: 1 };",
    }),
  ).toEqual(['room-health']);
});

it('a circle among rooms is refused, though no file is in one', async () => {
  expect(
    await broken({
      'services/ownership/a.ts': 'export const a = 1;',
      'services/ownership/b.ts': "export { c } from '../reconcile/c.js';",
      'services/reconcile/c.ts': "export { a as c } from '../ownership/a.js';",
    }),
  ).toEqual(['room-ownership']);
});

it('concurrency primitives know nothing of ports', async () => {
  expect(
    await broken({
      'ports/clock.ts': 'export interface Clock { now(): number }',
      'async/a.ts':
        "import type { Clock } from '../ports/clock.js';\nexport const a = (c: Clock) => c.now();",
    }),
  ).toEqual(['core-async']);
});
