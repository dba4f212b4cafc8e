import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isRunning, type ProcessIdentity } from './process-identity.js';

/** Makes an empty folder for one service; when the process that owns it is gone, the next start removes it. */
export async function createRoot(kind: string, owner: ProcessIdentity | undefined): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), `mcpinfra-${kind}-`));
  await writeFile(ownerFile(root), JSON.stringify(owner ?? identify(process.pid)));
  return root;
}

/** Lists the folders of a kind that are there, of this process and others. */
export async function listRoots(kind: string): Promise<string[]> {
  const names = await readdir(tmpdir());
  return names.filter((name) => name.startsWith(`mcpinfra-${kind}-`)).map((name) => join(tmpdir(), name));
}

/** Destroys what a process left that was killed before it could stop its services. */
export async function sweepAbandoned(kind: string, destroy: (root: string) => Promise<void>): Promise<void> {
  for (const root of await listRoots(kind)) {
    const owner = await ownerOf(root);
    if (owner === undefined || isRunning(owner)) continue;
    // What resists is no reason to start nothing new.
    await destroy(root).catch((cause: unknown) => console.warn(`cannot remove ${root}: ${String(cause)}`));
  }
}

export async function removeRoot(root: string): Promise<void> {
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}

async function ownerOf(root: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(ownerFile(root), 'utf8')) as ProcessIdentity;
  } catch {
    // Not written yet, or removed at this moment.
    return undefined;
  }
}

function ownerFile(root: string): string {
  return join(root, 'owner.json');
}
