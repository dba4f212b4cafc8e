import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { packageFolder } from '../package-folder.js';
import type { Layer } from './layer.js';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** Types and source maps make the half of a package, and no server reads them. */
const unread = /\.(?:map|[cm]?ts)$/;

/** The installed package of this name and all it depends on, below `/app/node_modules` as they lie on this machine. */
export async function packageLayer(name: string): Promise<Layer> {
  const folders = new Set<string>();
  await collect(findPackage(name, packageFolder), folders);
  const repository = dirname(packageFolder);
  const files = await Promise.all([...folders].map(async (folder) => filesBelow(folder)));
  return Object.fromEntries(files.flat().map((file) => [join('/app', relative(repository, file)), { file }]));
}

async function collect(folder: string, seen: Set<string>): Promise<void> {
  if (seen.has(folder)) return;
  seen.add(folder);
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  const { dependencies, peerDependencies, peerDependenciesMeta } = manifest;
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional);
  for (const name of [...Object.keys(dependencies ?? {}), ...peers]) {
    await collect(findPackage(name, folder), seen);
  }
}

/** Looks where Node looks: in the `node_modules` of the folder and of each above it. */
function findPackage(name: string, from: string): string {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (dirname(from) === from) throw new Error(`${name} is not installed`);
  return findPackage(name, dirname(from));
}

/** Without packages inside the package: those it needs are found by name. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : await filesBelow(path);
      return entry.isFile() && !unread.test(entry.name) ? [path] : [];
    }),
  );
  return found.flat();
}
