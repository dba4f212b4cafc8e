// Installs the packed packages in an empty project elsewhere, as a user would, and uses them there:
// ESM import, CommonJS require, a strict type check and the README's first JavaScript example.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, node } from './lib/run.mjs';
import { publishedPackages, readJson, root } from './lib/workspaces.mjs';

const project = mkdtempSync(join(tmpdir(), 'mcpinfra-consumer-'));
process.on('exit', () => rmSync(project, { recursive: true, force: true }));

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const entries = publishedPackages().flatMap(({ manifest }) =>
  Object.keys(manifest.exports ?? {})
    .filter((entry) => entry !== './package.json')
    .map((entry) => manifest.name + entry.slice(1)),
);

step('install');
install();

step('ESM import');
execute('import.mjs', entries.map((entry) => `await import('${entry}');`).join('\n'));

step('CommonJS require');
execute('require.cjs', entries.map((entry) => `require('${entry}');`).join('\n'));

step('types');
write('types.ts', entries.map((entry, index) => `export * as entry${index} from '${entry}';`).join('\n'));
write('tsconfig.json', {
  compilerOptions: {
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2023', 'ESNext.Disposable'],
    strict: true,
  },
  files: ['types.ts'],
});
must(...node('typescript/bin/tsc', ['--noEmit', '--skipLibCheck', 'false']), { cwd: project });

step('README example');
const example = /^```js[^\n]*\n([\s\S]*?)^```$/m.exec(readme)?.[1];
if (example === undefined) fail('README.md has no JavaScript example');
execute('example.mjs', example);

console.log(`${entries.length} entry points work when installed`);

/** Packs every package and installs the tarballs with whatever else the README tells its reader to install. */
function install() {
  mkdirSync(join(project, 'tarballs'));
  const directories = publishedPackages().map(({ directory }) => join(root, directory));
  must('npm', ['pack', '--pack-destination', join(project, 'tarballs'), ...directories], { quiet: true });
  const tarballs = readdirSync(join(project, 'tarballs')).map((name) => `./tarballs/${name}`);

  const command = /^npm (?:install|i) (.+)$/m.exec(readme)?.[1];
  if (command === undefined) fail('README.md does not say what to install');
  const others = command
    .split(/\s+/)
    .filter((name) => !name.startsWith('-') && !name.startsWith('@mcpinfra/'));

  write('package.json', { name: 'consumer', private: true });
  const packages = [...tarballs, ...[...others, '@types/node'].map(lockedVersion)];
  must('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], {
    cwd: project,
    quiet: true,
  });
}

/**
 * The package at the version this repository has installed, so that npm finds it in its cache.
 * @param {string} name
 */
function lockedVersion(name) {
  return `${name}@${readJson(join(root, 'node_modules', name, 'package.json')).version}`;
}

/**
 * @param {string} file
 * @param {string} code
 */
function execute(file, code) {
  write(file, code);
  must(process.execPath, [file], { cwd: project });
}

/**
 * @param {string} file
 * @param {string | object} content
 */
function write(file, content) {
  writeFileSync(join(project, file), typeof content === 'string' ? `${content}\n` : JSON.stringify(content));
}

/** @param {string} name */
function step(name) {
  console.log(`- ${name}`);
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
