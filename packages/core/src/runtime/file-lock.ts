import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Recurring } from '../async/recurring.js';
import { sleep } from '../async/sleep.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { askOwner, openOwnerSocket, type OwnerSocketRef } from './owner-socket.js';
import { processIdentity } from './process-identity.js';
import { finishingClock, systemClock } from './system-clock.js';

/** A lock that this process holds. */
export interface FileLock {
  /** Whether it was taken over from a process of another machine that gave no sign of life, but may only have paused. */
  readonly fromSilent: boolean;
  /** Whether the lock is still this one: not so once somebody removed its file, or took it over after a silence. */
  isHeld(): Promise<boolean>;
  /** Lets others have it. Idempotent. */
  release(): Promise<void>;
}

/** Who holds a lock, as its file says. */
interface Owner {
  /** Which running kernel the process is of, whatever container it is in. */
  readonly kernel: string;
  readonly host: string;
  /** For people only: in a container every host is number 1. */
  readonly pid: number;
  readonly socket: OwnerSocketRef | null;
}

const beatMs = 2_000;
const lookMs = 250;
/** After how many looks at a lock that did not change its owner counts as gone: five beats. */
const looks = 40;

/**
 * Takes a lock file, or takes it over from a process that has ended.
 *
 * Its owner listens on a socket beside it, which ends with the process: so a killed owner is known at once from any
 * container of the same machine, and a live one is never mistaken for dead, even stopped. Where there is no such socket,
 * and from another machine, an owner is gone when it has not touched the lock for ten seconds.
 *
 * @throws `STORE_LOCKED` naming the process that holds it
 */
export async function lockFile(path: string): Promise<FileLock> {
  let fromSilent = false;
  for (;;) {
    const held = await read(path);
    if (held === undefined) {
      const lock = await claim(path, { fromSilent }, (draft) => place(path, draft));
      if (lock) return lock;
      continue;
    }
    const owner = parseOwner(held);
    const state = await stateOf(path, { held, owner });
    if (state === 'alive') throw locked(path, owner);
    if (state === 'changed') continue;
    fromSilent ||= state === 'silent';
    const lock = await takeOver(path, { held, fromSilent });
    if (lock === undefined) continue;
    if (owner?.socket) await unlink(join(dirname(path), basename(owner.socket.name))).catch(() => undefined);
    return lock;
  }
}

/** A file with what the lock is to say, which becomes the lock in one step: it is never seen half-written. */
interface Draft {
  readonly path: string;
  readonly mark: string;
}

/** Makes a lock ready and holds it if `settle` makes it the one. */
async function claim(
  path: string,
  { fromSilent }: Pick<FileLock, 'fromSilent'>,
  settle: (draft: Draft) => Promise<boolean>,
): Promise<FileLock | undefined> {
  const socket = await openOwnerSocket(path);
  const owner: Owner = {
    kernel: await ownKernel(),
    host: hostname(),
    pid: process.pid,
    socket: socket?.ref ?? null,
  };
  const nonce = randomBytes(8).toString('hex');
  const draft = { path: `${path}.${nonce}.tmp`, mark: `${JSON.stringify({ ...owner, nonce })}\n` };
  let settled = false;
  try {
    settled = await settle(draft);
    const file = settled ? await openOurs(path, draft.mark) : undefined;
    if (file) return hold(path, { file, mark: draft.mark, fromSilent, closeSocket: () => socket?.close() });
    await socket?.close();
    return undefined;
  } catch (error) {
    if (settled) await removeIfOurs(path, draft.mark);
    await socket?.close();
    throw error;
  } finally {
    await unlink(draft.path).catch(() => undefined);
  }
}

interface Held {
  readonly file: FileHandle;
  readonly mark: string;
  readonly fromSilent: boolean;
  readonly closeSocket: () => Promise<void> | undefined;
}

/** Keeps the lock alive until it is released. */
function hold(path: string, { file, mark, fromSilent, closeSocket }: Held): FileLock {
  const beating = new Recurring({
    clock: systemClock,
    retryMs: beatMs,
    work: async () => {
      const now = new Date();
      await file.utimes(now, now);
      return beatMs;
    },
    failed: () => undefined,
  });
  void beating.now();
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    await beating.stop();
    await removeIfOurs(path, mark);
    await closeSocket();
    await file.close();
  };
  return {
    fromSilent,
    // The file is open, so its number cannot mean another one; without a name it was removed or replaced.
    isHeld: async () => released === undefined && (await file.stat()).nlink > 0,
    release: () => (released ??= release()),
  };
}

/** What can be said of the owner of a lock. */
async function stateOf(
  path: string,
  { held, owner }: { readonly held: string; readonly owner: Owner | undefined },
): Promise<'alive' | 'dead' | 'silent' | 'changed'> {
  if (owner?.socket && owner.kernel === (await ownKernel())) {
    const answer = await askOwner(path, owner.socket);
    if (answer !== 'unknown') return answer;
  }
  const before = await touchedAt(path);
  // Looks are counted, not time: this process may have been paused, and its whole machine with the owner.
  for (let look = 0; look < looks; look += 1) {
    await sleep(finishingClock, lookMs);
    const now = await touchedAt(path);
    if (now === undefined || (await read(path)) !== held) return 'changed';
    if (now !== before) return 'alive';
  }
  return 'silent';
}

/** The boot of the machine where there is such a thing, which all containers on it share; otherwise the machine. */
async function ownKernel(): Promise<string> {
  const { machineId, bootId } = await processIdentity();
  return /^0+$/u.test(bootId) ? machineId : bootId;
}

async function touchedAt(path: string): Promise<number | undefined> {
  // Opened, since a network file system asks its server anew then, but not for the time of a file that it knows.
  const file = await openIfThere(path, 'r');
  try {
    return (await file?.stat())?.mtimeMs;
  } finally {
    await file?.close();
  }
}

/** Makes the lock file unless there is one. */
async function place(path: string, draft: Draft): Promise<boolean> {
  try {
    await writeFile(draft.path, draft.mark);
    await link(draft.path, path);
    await unlink(draft.path);
    return true;
  } catch (error) {
    // ENOENT: whoever opened the store meanwhile has swept the draft away.
    if (isErrno(error, 'EEXIST', 'ENOENT')) return (await read(path)) === draft.mark;
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
  }
  // A file system without hard links.
  try {
    await writeFile(path, draft.mark, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * Replaces the lock of an owner that is gone.
 *
 * Only who holds the lock's own lock may do so, and only while it is still that owner's: otherwise the slower of two
 * would replace the new lock of the faster.
 */
async function takeOver(
  path: string,
  { held, fromSilent }: { readonly held: string; readonly fromSilent: boolean },
): Promise<FileLock | undefined> {
  const guard = await lockFile(`${path}.takeover`);
  try {
    return await claim(path, { fromSilent }, async (draft) => {
      if ((await read(path)) !== held) return false;
      try {
        await writeFile(draft.path, draft.mark);
        await rename(draft.path, path);
        return true;
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return false;
        throw error;
      }
    });
  } finally {
    await guard.release();
  }
}

async function removeIfOurs(path: string, mark: string): Promise<void> {
  // It may have been removed by hand and taken by somebody else meanwhile.
  if ((await read(path)) === mark) await unlink(path);
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function openOurs(path: string, mark: string): Promise<FileHandle | undefined> {
  const file = await openIfThere(path, 'r+');
  if (file === undefined || (await file.readFile('utf8')) === mark) return file;
  await file.close();
  return undefined;
}

async function openIfThere(path: string, flags: 'r' | 'r+'): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parseOwner(mark: string): Owner | undefined {
  try {
    const { kernel, host, pid, socket } = JSON.parse(mark) as Partial<Owner>;
    if (typeof kernel !== 'string' || typeof host !== 'string' || typeof pid !== 'number') return undefined;
    const known = typeof socket?.name === 'string' && socket.name.endsWith('.sock');
    return { kernel, host, pid, socket: known ? socket : null };
  } catch {
    return undefined;
  }
}

function locked(path: string, owner: Owner | undefined): Error {
  const who =
    owner === undefined
      ? 'a process that cannot be told from it'
      : `the process with the pid ${owner.pid} on ${owner.host}`;
  return mcpError(
    'STORE_LOCKED',
    `The lock ${path} is held by ${who}, which is alive. Stop that process first; one that ends, however it does, lets ` +
      'go of the lock.',
    { details: { lock: path, pid: owner?.pid ?? null, host: owner?.host ?? null } },
  );
}

function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
