import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** @typedef {{ name: string, private?: boolean, exports?: Record<string, string | Record<string, string>>, peerDependenciesMeta?: Record<string, unknown> }} Manifest */

/**
 * Reads a JSON file.
 * @param {string} path
 */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * Every workspace of the root package.json: its folder relative to the root and its own package.json.
 * @returns {{ directory: string, manifest: Manifest }[]}
 */
export function workspaces() {
  /** @type {string[]} */
  const patterns = readJson(join(root, 'package.json')).workspaces;
  return patterns
    .flatMap((pattern) => (pattern.endsWith('/*') ? childrenOf(pattern.slice(0, -2)) : [pattern]))
    .filter((directory) => existsSync(join(root, directory, 'package.json')))
    .map((directory) => ({ directory, manifest: readJson(join(root, directory, 'package.json')) }));
}

/** The workspaces that are published. */
export function publishedPackages() {
  return workspaces().filter(({ manifest }) => !manifest.private);
}

/** @param {string} directory */
function childrenOf(directory) {
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory)).map((name) => `${directory}/${name}`);
}
