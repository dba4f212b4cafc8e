import { type FileHandle, readFile } from 'node:fs/promises';
import { mcpError } from '../../plugin.js';

/**
 * Refuses a file that is reached by another name too: its lock is beside its name, so whoever came by the other one would
 * not see it, and the two would write over each other.
 *
 * @param path - as the kernel resolves it
 * @throws `INVALID_OPTIONS`
 */
export async function refuseOtherNames(path: string, file: FileHandle): Promise<void> {
  const { nlink } = await file.stat();
  if (nlink > 1) {
    const message = `${path} has ${nlink} names (hard links), and a lock by one of them is not seen by the others. Remove the other names, or give a copy of the file.`;
    throw mcpError('INVALID_OPTIONS', message, { details: { file: path } });
  }
  if (!(await mountPoints()).has(path)) return;
  const message = `${path} is itself a mount point: it cannot be replaced when it is written anew, and a lock beside it is not seen by whoever reaches the file elsewhere. Mount the folder that it is in.`;
  throw mcpError('INVALID_OPTIONS', message, { details: { file: path } });
}

/** Where something is mounted, as far as the system tells (proc_pid_mountinfo(5)). */
async function mountPoints(): Promise<ReadonlySet<string>> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return new Set(text.split('\n').map((line) => unescaped(line.split(' ')[4] ?? '')));
}

/** Blanks and the like are written as octal numbers. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/gu, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
