// Copies marked regions of compiled files into the documentation, or with --check says where they differ.
//
//   ```js example=examples/quickstart/src/quickstart.ts#first-server
//   ```
//
// takes what stands between `//#region first-server` and its `//#endregion`.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/workspaces.mjs';

const block = /^```(?:js|ts) example=(?<path>[^\s#]+)#(?<region>\S+)\n(?<code>[\s\S]*?)^```$/gm;
const check = process.argv.includes('--check');
let snippets = 0;

for (const page of pages()) {
  const before = readFileSync(join(root, page), 'utf8');
  const after = before.replace(block, (text, ...groups) => {
    const [path, region, code] = groups;
    snippets += 1;
    const source = regionOf(path, region, page);
    if (source === undefined || source === code) return text;
    if (check) fail(`${page}: the example ${path}#${region} differs from its source: npm run docs:update`);
    return text.replace(`\n${code}\`\`\``, () => `\n${source}\`\`\``);
  });
  if (!check && after !== before) {
    writeFileSync(join(root, page), after);
    console.log(`${page} updated`);
  }
}
console.log(
  `${snippets} examples ${process.exitCode ? 'checked, not all' : 'all'} in step with their source`,
);

/** README.md, that of every package, and every page below docs/. */
function pages() {
  const docs = existsSync(join(root, 'docs'))
    ? readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((page) => join('docs', page))
    : [];
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'README.md'));
  return ['README.md', ...packages, ...docs].filter(
    (page) => page.endsWith('.md') && existsSync(join(root, page)),
  );
}

/**
 * The lines of a region without their common indentation, or undefined (and a failure) when there is no such region.
 * @param {string} path
 * @param {string} region
 * @param {string} page
 */
function regionOf(path, region, page) {
  const lines = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8').split('\n') : [];
  const start = lines.findIndex((line) => line.trim() === `//#region ${region}`);
  const end = lines.findIndex((line, index) => index > start && line.trim() === '//#endregion');
  if (start < 0 || end < 0) {
    fail(`${page}: ${path} has no region "${region}" (//#region ${region} … //#endregion)`);
    return undefined;
  }
  const body = lines.slice(start + 1, end);
  const indent = Math.min(...body.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  return body.map((line) => `${line.slice(indent)}\n`).join('');
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
