import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('../fixtures/imports/', import.meta.url));

/** The documents of public servers, in the formats they come in; by paths such as `registry/github.json`. */
export const importFixtures: readonly string[] = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(?:json|jsonc|yaml)$/u.test(path))
  .sort();

/** The text of one of them. */
export function importFixture(path: string): string {
  return readFileSync(join(directory, path), 'utf8');
}
