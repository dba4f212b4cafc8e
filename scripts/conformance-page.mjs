// Writes what the contract suites demand into packages/conformance/README.md, or with --check says that it differs.
// The lists are read from the built package: npm run build first.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { root } from './lib/workspaces.mjs';

/** @typedef {{ id: string, text: string }} Requirement */

const ports = [
  { entry: 'provider', title: 'Providers', list: 'providerRequirements' },
  { entry: 'store', title: 'Stores', list: 'storeRequirements' },
  { entry: 'event-bus', title: 'Event buses', list: 'eventBusRequirements' },
  { entry: 'secret-resolver', title: 'Secret resolvers and stores', list: 'secretResolverRequirements' },
];
const tree = 'https://github.com/mcpinfra/mcpinfra/blob/main';
const generated = /(?<=<!-- requirements: .*? -->\n).*(?=<!-- \/requirements -->)/su;

const page = join(root, 'packages/conformance/README.md');
const before = readFileSync(page, 'utf8');
if (!generated.test(before))
  throw new Error(`${page} has no <!-- requirements: … --> … <!-- /requirements -->`);
const sections = await Promise.all(ports.map(section));
const after = await format(
  before.replace(generated, () => `\n${sections.join('\n\n')}\n\n`),
  { ...(await resolveConfig(page)), filepath: page },
);

if (after === before) console.log('packages/conformance/README.md is in step with the suites');
else if (process.argv.includes('--check')) {
  console.error('packages/conformance/README.md differs from the suites: npm run build, npm run docs:update');
  process.exitCode = 1;
} else {
  writeFileSync(page, after);
  console.log('packages/conformance/README.md updated');
}

/**
 * What one port demands, as a table.
 * @param {(typeof ports)[number]} port
 */
async function section({ entry, title, list }) {
  const built = join(root, `packages/conformance/dist/${entry}.js`);
  if (!existsSync(built)) throw new Error(`${built} does not exist: npm run build`);
  /** @type {readonly Requirement[]} */
  const requirements = (await import(pathToFileURL(built).href))[list];
  const contract = `packages/core/src/ports/${entry}.ts`;
  const rows = requirements.map(({ id, text }) => `| \`${id}\` | ${text.replaceAll('|', String.raw`\|`)} |`);
  return `### ${title}

The contract: [${contract}](${tree}/${contract}). ${requirements.length} requirements.

| id | what is demanded |
| --- | --- |
${rows.join('\n')}`;
}
