import { randomBytes } from 'node:crypto';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno } from './errno.js';

/** What became of a file that was to be replaced. */
export type Replacement =
  | { readonly replaced: true; readonly durable: true }
  /** The new text is there, but whether it outlives a loss of power is not known. */
  | { readonly replaced: true; readonly durable: false; readonly cause: unknown }
  | { readonly replaced: false; readonly cause: unknown };

/** Replaces a file as a whole: whoever reads it, after whatever crash, finds the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<Replacement> {
  const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await unlink(draft).catch(() => undefined);
    return { replaced: false, cause };
  }
  try {
    await syncDirectory(dirname(path));
    return { replaced: true, durable: true };
  } catch (cause) {
    return { replaced: true, durable: false, cause };
  }
}

/** Removes what a process that died while it wrote has left beside the file. */
export async function removeDrafts(path: string): Promise<void> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  const drafts = (await readdir(directory)).filter(
    (name) => name.startsWith(prefix) && name.endsWith('.tmp'),
  );
  await Promise.all(drafts.map((name) => unlink(join(directory, name)).catch(() => undefined)));
}

async function syncDirectory(path: string): Promise<void> {
  // Windows has no such thing, and some file systems do not offer it.
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'ENOTSUP', 'ENOSYS')) throw error;
  } finally {
    await directory.close();
  }
}
