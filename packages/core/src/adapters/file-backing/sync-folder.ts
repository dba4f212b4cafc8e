import { open } from 'node:fs/promises';
import { isErrno } from './errno.js';

/** Makes durable what was renamed within a folder. */
export async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing, and some file systems do not offer it.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'ENOTSUP', 'ENOSYS')) throw error;
  } finally {
    await folder.close();
  }
}
