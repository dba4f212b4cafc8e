import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package, found from its sources and from its build. */
export const packageFolder: string = nearestPackage(dirname(fileURLToPath(import.meta.url)));

/** The path of a program that the build of this package makes. */
export function builtProgram(name: string): string {
  return join(packageFolder, 'dist', name);
}

function nearestPackage(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : nearestPackage(dirname(folder));
}
