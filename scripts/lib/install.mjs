import { statSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './run.mjs';
import { root } from './workspaces.mjs';

/**
 * Installs the dependencies when there are none, or when the lock file is newer than what is installed.
 *
 * A fresh clone gets exactly the lock file (`npm ci`); a stale tree is brought up to date in place.
 * @param {{ quiet?: boolean }} [options]
 */
export function ensureInstalled(options) {
  const locked = changedAt('package-lock.json');
  const installed = changedAt('node_modules/.package-lock.json');
  if (installed !== undefined && (locked === undefined || locked <= installed)) return;
  console.log('Installing dependencies');
  must('npm', [installed === undefined ? 'ci' : 'install', '--no-audit', '--no-fund'], options);
}

/** @param {string} path */
function changedAt(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;
}
