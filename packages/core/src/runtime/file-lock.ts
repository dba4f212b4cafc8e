import { randomBytes } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { ProcessIdentity } from '../domain/fleet/process-identity.js';
import { isSurelyDead, processIdentity } from './process-identity.js';

/** A lock that this process holds. */
export interface FileLock {
  /** Lets others have it. Idempotent. */
  release(): Promise<void>;
}

/**
 * Takes a lock file, or takes it over from a process that has surely ended.
 *
 * @throws `STORE_LOCKED` naming the process that holds it
 */
export async function lockFile(path: string): Promise<FileLock> {
  const owner = await processIdentity();
  // The nonce tells two locks of one process apart.
  const mark = `${JSON.stringify({ ...owner, nonce: randomBytes(8).toString('hex') })}\n`;
  const draft = `${path}.${owner.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    await take(path, { mark, draft });
  } finally {
    await unlink(draft).catch(() => undefined);
  }
  return {
    async release() {
      // It may have been removed by hand and taken by somebody else meanwhile.
      if ((await read(path)) === mark) await unlink(path);
    },
  };
}

interface Claim {
  readonly mark: string;
  /** A file of the mark, which becomes the lock in one step: a lock is never seen half-written. */
  readonly draft: string;
}

async function take(path: string, claim: Claim): Promise<void> {
  for (;;) {
    if (await place(path, claim)) return;
    const held = await read(path);
    if (held === undefined) continue;
    const owner = parseOwner(held);
    if (owner === undefined || !(await isSurelyDead(owner))) throw locked(path, owner);
    if (await takeOver(path, held, claim)) return;
  }
}

/** Makes the lock file unless there is one. */
async function place(path: string, claim: Claim): Promise<boolean> {
  try {
    await writeFile(claim.draft, claim.mark);
    await link(claim.draft, path);
    return true;
  } catch (error) {
    // ENOENT: whoever opened the store meanwhile has swept the draft away.
    if (isErrno(error, 'EEXIST', 'ENOENT')) return false;
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
  }
  // A file system without hard links.
  try {
    await writeFile(path, claim.mark, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * Replaces the lock of a dead owner.
 *
 * Only who holds the lock's own lock may do so, and only while it is still the dead owner's: otherwise the slower of
 * two would replace the new lock of the faster.
 */
async function takeOver(path: string, held: string, claim: Claim): Promise<boolean> {
  const guard = await lockFile(`${path}.takeover`);
  try {
    if ((await read(path)) !== held) return false;
    await writeFile(claim.draft, claim.mark);
    await rename(claim.draft, path);
    return true;
  } finally {
    await guard.release();
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parseOwner(mark: string): ProcessIdentity | undefined {
  try {
    const owner = JSON.parse(mark) as Partial<ProcessIdentity> | null;
    const { machineId, bootId, pid, startTime } = owner ?? {};
    if (typeof machineId !== 'string' || typeof bootId !== 'string') return undefined;
    if (typeof pid !== 'number' || typeof startTime !== 'number') return undefined;
    return { machineId, bootId, pid, startTime };
  } catch {
    return undefined;
  }
}

function locked(path: string, owner: ProcessIdentity | undefined): Error {
  const who =
    owner === undefined ? 'a process that cannot be told from it' : `the process with the pid ${owner.pid}`;
  return mcpError(
    'STORE_LOCKED',
    `The lock ${path} is held by ${who}. Stop that process first; if it ended on another machine or in another ` +
      'container, where it cannot be seen from here, remove the lock file.',
    { details: { lock: path, pid: owner?.pid ?? null } },
  );
}

function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
