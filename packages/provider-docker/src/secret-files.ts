import { chmod, mkdir, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mcpError } from '@mcpinfra/core/plugin';
import { copyName, ownerLabels, readOwner, type LabelSet, type OwnedRef } from './labels.js';

// statfs(2): TMPFS_MAGIC and RAMFS_MAGIC.
const inMemory = new Set([0x01021994, 0x858458f6]);

/**
 * Secrets as files: a directory for each copy on a tmpfs of the host, which its container sees read-only.
 *
 * The directory is only this user's; the files within may be read by anybody who gets there, for the container's user
 * is another one.
 */
export class SecretFiles {
  readonly #root: string | undefined;

  constructor(root: string | undefined) {
    this.#root = root;
  }

  /** Makes the directory of all copies ready. @throws `INVALID_OPTIONS` when it is on a disk */
  async open(): Promise<void> {
    if (this.#root === undefined) return;
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    if (inMemory.has((await statfs(this.#root)).type)) return;
    throw mcpError(
      'INVALID_OPTIONS',
      `dockerProvider: expected secretDir to be on a tmpfs, but ${this.#root} is on a disk; choose for example /dev/shm/mcp.`,
    );
  }

  /** Refuses where there is no place for files. @throws `SECRET_FILE_UNSUPPORTED` */
  demand(): string {
    if (this.#root !== undefined) return this.#root;
    throw mcpError(
      'SECRET_FILE_UNSUPPORTED',
      'json_spec.secret_delivery is file, but the host gives no secretDir; set it to a directory on a tmpfs that the engine shares, or use secret_delivery: env.',
    );
  }

  /** Writes the files of a copy and gives the directory that is to be bound into its container. */
  async write(owned: OwnedRef, values: ReadonlyMap<string, string>): Promise<string> {
    const directory = join(this.demand(), copyName(owned.copy));
    const files = join(directory, 'files');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(join(directory, 'owner.json'), JSON.stringify(ownerLabels(owned)), { mode: 0o600 });
    await mkdir(files, { recursive: true });
    // Whatever the umask says.
    await chmod(files, 0o755);
    for (const [name, value] of values) {
      // A file of this name is of an earlier start, and may not be written to.
      await rm(join(files, name), { force: true });
      await writeFile(join(files, name), value);
      await chmod(join(files, name), 0o444);
    }
    return files;
  }

  /** The values that a copy was given as files. */
  async read(owned: OwnedRef): Promise<ReadonlyMap<string, string>> {
    if (this.#root === undefined) return new Map();
    const files = join(this.#root, copyName(owned.copy), 'files');
    const names = await readdir(files).catch(() => []);
    const entries = names.map(
      async (name) => [name, await readFile(join(files, name), 'utf8').catch(() => '')] as const,
    );
    return new Map(await Promise.all(entries));
  }

  async remove(owned: OwnedRef): Promise<void> {
    if (this.#root === undefined) return;
    await rm(join(this.#root, copyName(owned.copy)), { recursive: true, force: true });
  }

  /** Whose directories there are, and since when. */
  async list(): Promise<readonly { readonly owned: OwnedRef; readonly createdAt: string }[]> {
    if (this.#root === undefined) return [];
    const root = this.#root;
    const found = await Promise.all(
      (await readdir(root).catch(() => [])).map(async (name) => {
        const path = join(root, name, 'owner.json');
        const [text, times] = await Promise.all([
          readFile(path, 'utf8').catch(() => '{}'),
          stat(path).catch(() => undefined),
        ]);
        const owned = readOwner(parse(text));
        return owned && times ? [{ owned, createdAt: times.mtime.toISOString() }] : [];
      }),
    );
    return found.flat();
  }
}

function parse(text: string): LabelSet | undefined {
  try {
    return JSON.parse(text) as LabelSet;
  } catch {
    return undefined;
  }
}
