import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Where Debian and others keep daemons: not on everybody's PATH. */
const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** A PATH that has the folders of daemons too. */
export function programPath(): string {
  const own = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...own, ...systemFolders])].join(delimiter);
}

/** Finds an executable file of this name; folders given are looked into first. */
export async function findProgram(
  name: string,
  folders: readonly string[] = [],
): Promise<string | undefined> {
  for (const folder of [...folders, ...programPath().split(delimiter)]) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
