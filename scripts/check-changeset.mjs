// Fails when a published package's sources changed since the main branch and no new changeset names the package.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages, root } from './lib/workspaces.mjs';

const base = baseCommit();
if (base === undefined) {
  // The first commit brings the first release with it.
  if (changesets(readdirSync(join(root, '.changeset')).map((file) => `.changeset/${file}`)).length === 0)
    fail('There is no changeset yet: npm run changeset');
} else {
  const changed = changedSince(base);
  const texts = changesets(changed);
  for (const { directory, manifest } of publishedPackages()) {
    const touched = changed.some(
      (file) => file.startsWith(`${directory}/src/`) && !file.endsWith('.test.ts'),
    );
    if (touched && !texts.some((text) => new RegExp(`^['"]${manifest.name}['"]:`, 'm').test(text)))
      fail(`${manifest.name} changed without a changeset: npm run changeset`);
  }
}
if (!process.exitCode) console.log('Changesets are in order');

/** Where the current work left the main branch; undefined while the history has no second commit. */
function baseCommit() {
  if (Number(git('rev-list', '--count', 'HEAD') ?? 0) < 2) return undefined;
  return git('merge-base', 'HEAD', 'origin/main') ?? git('merge-base', 'HEAD', 'main') ?? 'HEAD';
}

/**
 * The files that differ from a commit: committed, uncommitted or new.
 * @param {string} commit
 */
function changedSince(commit) {
  const tracked = git('diff', '--name-only', commit) ?? '';
  const untracked = git('ls-files', '--others', '--exclude-standard') ?? '';
  return `${tracked}\n${untracked}`.split('\n').filter(Boolean);
}

/**
 * The texts of the changesets among some files.
 * @param {readonly string[]} files
 */
function changesets(files) {
  return files
    .filter((file) => /^\.changeset\/(?!README).*\.md$/.test(file) && existsSync(join(root, file)))
    .map((file) => readFileSync(join(root, file), 'utf8'));
}

/**
 * What git answers, or undefined when it refuses.
 * @param {...string} args
 */
function git(...args) {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
