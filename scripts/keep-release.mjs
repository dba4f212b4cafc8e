// Keeps what is built now as the release before, for the test that runs it beside a later one on one database: the store and
// the core it works with, in one file. Run it when a version was released: npm run build && npm run release:keep.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './lib/workspaces.mjs';

const folder = join(root, 'packages/store-postgres');
const kept = join(folder, 'test/fixtures/release-before.mjs.gz');
// The file is in the repository: what grows past this has to be kept elsewhere.
const most = 400_000;

const { outputFiles } = await build({
  stdin: {
    contents: `
      export { createMCPInfra } from '@mcpinfra/core';
      export { fakeProvider } from '@mcpinfra/core/testing';
      export { postgresSecrets, postgresStore } from '@mcpinfra/store-postgres';
    `,
    resolveDir: join(folder, 'test'),
  },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  logLevel: 'error',
  write: false,
  external: [
    'pg',
    'zod',
    'undici',
    'eventemitter3',
    '@modelcontextprotocol/*',
    '@sinclair/*',
    '@electric-sql/*',
  ],
});
const packed = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 });
if (packed.length > most) throw new Error(`${String(packed.length)} bytes are more than ${String(most)}.`);
writeFileSync(kept, packed);
console.log(`${kept}: ${String(packed.length)} bytes`);
