// Lets npm publish the packages without doing it, installs them in an empty project elsewhere, as a user would, and uses
// them there: ESM import, CommonJS require, strict type checks and the README's first JavaScript example. What needs an
// optional peer has to be importable without it.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishDryRun } from './lib/publish-dry-run.mjs';
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
const optionalPeers = publishedPackages().flatMap(({ manifest }) =>
  Object.keys(manifest.peerDependenciesMeta ?? {}),
);

/** The most a packed package may weigh, in kB; about two thirds of it are used. */
const maxPackedKB = (/** @type {string} */ name) => (name === '@mcpinfra/core' ? 1_000 : 300);

step('publish, without doing it');
publish();
measureImport();

step('install');
install();

step('ESM import');
execute('import.mjs', entries.map((entry) => `await import('${entry}');`).join('\n'));

step('CommonJS require');
execute('require.cjs', entries.map((entry) => `require('${entry}');`).join('\n'));

step('types');
const modules = [{ module: 'NodeNext' }, { module: 'ESNext', moduleResolution: 'bundler' }];
checkTypes(
  modules.flatMap((module) =>
    [true, false].map((exactOptionalPropertyTypes) => ({ ...module, exactOptionalPropertyTypes })),
  ),
);

step('README example');
const example = /^```js[^\n]*\n([\s\S]*?)^```$/m.exec(readme)?.[1];
if (example === undefined) fail('README.md has no JavaScript example');
execute('example.mjs', example);

if (optionalPeers.length > 0) {
  step(`types with ${optionalPeers.join(', ')}`);
  add(optionalPeers.map(lockedVersion));
  checkTypes(modules);
}

console.log(`${entries.length} entry points work when installed`);

/** Every package as npm would publish it. */
function publish() {
  const faults = publishedPackages().flatMap(({ directory, manifest: { name } }) => {
    const { kB, faults } = publishDryRun(join(root, directory));
    console.log(`  ${name}  ${kB.toFixed(0)} kB packed`);
    if (kB > maxPackedKB(name)) faults.push(`it weighs more than ${maxPackedKB(name)} kB`);
    return faults.map((fault) => `${name}: ${fault}`);
  });
  if (faults.length > 0) fail(faults.join('\n'));
}

/** What importing core evaluates of its own, as the bench measures it; the time it takes is the bench's to judge. */
function measureImport() {
  const output = execFileSync(process.execPath, ['bench/dist/main.js', 'import', '--rounds', '1'], {
    cwd: root,
    encoding: 'utf8',
  });
  const { ownKbMinGzip, ownKbMinGzipGoal, eager } = JSON.parse(output.trim().split('\n').at(-1) ?? '');
  console.log(`  import of @mcpinfra/core  ${ownKbMinGzip} of ${ownKbMinGzipGoal} kB min+gzip`);
  if (ownKbMinGzip > ownKbMinGzipGoal) fail('Importing @mcpinfra/core evaluates too much code');
  if (eager.length > 0) fail(`Importing @mcpinfra/core loads ${eager.join(', ')}`);
}

/**
 * Compiles every entry point and the wiring of a host, their declarations included: as CommonJS and as an ES module, and in
 * each mode that a host may use.
 * @param {object[]} modes
 */
function checkTypes(modes) {
  write('entries.ts', entries.map((entry, index) => `export * as entry${index} from '${entry}';`).join('\n'));
  cpSync(join(root, 'scripts/consumer/wiring.ts'), join(project, 'wiring.mts'));
  for (const mode of modes) {
    write('tsconfig.json', {
      compilerOptions: {
        ...mode,
        target: 'ES2022',
        lib: ['ES2023', 'ESNext.Disposable'],
        strict: true,
        noEmit: true,
        skipLibCheck: false,
      },
      files: ['entries.ts', 'wiring.mts'],
    });
    must(...node('typescript/bin/tsc', []), { cwd: project });
  }
}

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
  add([...tarballs, ...[...others, '@types/node'].map(lockedVersion)]);
}

/** @param {readonly string[]} packages */
function add(packages) {
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
