import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from './package-folder.js';

const folder = join(packageFolder, 'documents');

/** The documents of public servers, in the formats they come in; by paths such as `registry/github.json`. */
export const publicDocuments: readonly string[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(?:json|jsonc|yaml)$/u.test(path))
  .sort();

/** The text of one of them. */
export function publicDocument(path: string): string {
  return readFileSync(join(folder, path), 'utf8');
}
