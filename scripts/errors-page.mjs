// Writes docs/errors.md from the table of error codes, or with --check says that it differs.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';
import { root } from './lib/workspaces.mjs';

/** @typedef {{ category: 'config' | 'transient' | 'internal', retryable: boolean, httpStatus: number, remedy: string }} Entry */

const source = 'packages/core/src/domain/errors/error-codes.ts';
const page = join(root, 'docs/errors.md');
const actors = { config: 'you', transient: 'nobody, it passes', internal: 'us' };

const before = existsSync(page) ? readFileSync(page, 'utf8') : '';
const after = await format(render(await errorCodes()), { ...(await resolveConfig(page)), filepath: page });

if (after === before) console.log('docs/errors.md is in step with the error codes');
else if (process.argv.includes('--check')) {
  console.error(`docs/errors.md differs from ${source}: npm run docs:update`);
  process.exitCode = 1;
} else {
  writeFileSync(page, after);
  console.log('docs/errors.md updated');
}

/**
 * The table itself. The file imports nothing, so it needs no build to be run.
 * @returns {Promise<Record<string, Entry>>}
 */
async function errorCodes() {
  const { outputText } = ts.transpileModule(readFileSync(join(root, source), 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const loaded = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);
  return loaded.errorCodes;
}

/** @param {Record<string, Entry>} codes */
function render(codes) {
  const rows = Object.entries(codes).map(
    ([code, { category, retryable, httpStatus, remedy }]) =>
      `| \`${code}\` | ${actors[category]} | ${retryable ? 'yes' : 'no'} | ${httpStatus} | ${remedy.replaceAll('|', String.raw`\|`)} |`,
  );
  return `# Error codes

<!-- Written by scripts/errors-page.mjs: change ${source} and run npm run docs:update. -->

Every error of the library is an \`MCPInfraError\` with a \`code\` of this table, and an instance that failed has one in
\`statusDetail.reason\`. Codes are stable. The same table is exported as \`errorCodes\`, and each error carries its row as
\`category\`, \`retryable\`, \`httpStatus\` and \`remedy\`; the message adds what was expected and what came.

- **Who acts**: \`category\` is \`config\` where you have to change something, \`transient\` where time ends the failure, and
  \`internal\` where it is a defect of the library.
- **Retry**: whether the same call, unchanged, may succeed later. An instance whose start failed is tried again by itself
  only where it is so; otherwise it waits for a change or for \`start()\`.
- **HTTP**: \`httpStatus\` is what a host answers who asked it over HTTP: 4xx where the caller has to act, 502 or 504 where
  a server of the fleet failed, else 500, 501 or 503. That a server refused the fleet's credentials is no 401: the caller's
  own are not meant.

| Code | Who acts | Retry | HTTP | What to do |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
