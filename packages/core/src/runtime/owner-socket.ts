import { randomBytes } from 'node:crypto';
import { type FileHandle, open, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { edge, ignoreError } from '../async/edge.js';

/** How a socket is found again by who wants to know whether its process lives. */
export interface OwnerSocketRef {
  /** Its name in the folder of the lock. */
  readonly name: string;
  /** The file system and the file as the owner saw them, so that it is known to be asked about the same one. */
  readonly dev: string;
  readonly ino: string;
}

/** A socket that listens for as long as this process lives: the kernel closes it with the process, however that ends. */
export interface OwnerSocket {
  readonly ref: OwnerSocketRef;
  close(): Promise<void>;
}

// sun_path of unix(7) has 108 bytes with its end on Linux, 104 elsewhere.
const longestPath = process.platform === 'linux' ? 107 : 103;

/**
 * Listens beside a lock; `undefined` where that cannot be done, as on Windows and on file systems without sockets.
 *
 * A socket with a path is found by its inode, whatever namespaces its processes are in, unlike a pid, a port of loopback
 * or an abstract name.
 */
export async function openOwnerSocket(lock: string): Promise<OwnerSocket | undefined> {
  if (process.platform === 'win32') return undefined;
  const folder = await open(dirname(lock), 'r');
  const name = `${basename(lock)}.${randomBytes(6).toString('hex')}.sock`;
  const path = reach(folder, join(dirname(lock), name));
  let server: Server | undefined;
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    await unlink(join(dirname(lock), name)).catch(() => undefined);
    await folder.close();
  };
  try {
    server = await listen(path);
    const { dev, ino } = await stat(path, { bigint: true });
    // A file system may take a socket and yet not lead to it.
    if ((await ask(path)) === 'alive') return { ref: { name, dev: String(dev), ino: String(ino) }, close };
  } catch {
    // The lock does without.
  }
  await close();
  return undefined;
}

/**
 * Tells whether the owner of a socket lives; `unknown` when this is not surely the socket that it opened.
 *
 * Only for sockets of this kernel: of another one's, each would seem dead.
 */
export async function askOwner(lock: string, ref: OwnerSocketRef): Promise<'alive' | 'dead' | 'unknown'> {
  const folder = await open(dirname(lock), 'r');
  try {
    const path = reach(folder, join(dirname(lock), basename(ref.name)));
    const answer = await ask(path);
    if (answer !== 'dead') return answer;
    // The same files seen through another mount are other inodes, and so are copies.
    const { dev, ino } = await stat(path, { bigint: true });
    return String(dev) === ref.dev && String(ino) === ref.ino ? 'dead' : 'unknown';
  } catch {
    return 'unknown';
  } finally {
    await folder.close();
  }
}

/** A path short enough for a socket. */
function reach(folder: FileHandle, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${folder.fd}/${basename(path)}` : path;
}

async function listen(path: string): Promise<Server> {
  if (Buffer.byteLength(path) > longestPath) throw new RangeError('the path is too long for a socket');
  // Whoever connects has its answer with that.
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // In a worker of node:cluster the primary would listen in place of this process.
    server.listen({ path, exclusive: true }, resolve);
  });
  // Such as too many open files at an accept: nothing hangs on being accepted.
  server.on('error', ignoreError);
  server.unref();
  return server;
}

function ask(path: string): Promise<'alive' | 'dead' | 'unknown'> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const unknown = (): void => resolve('unknown');
    const onConnect = (): void => {
      socket.destroy();
      resolve('alive');
    };
    const onError = (error: Error): void => {
      socket.destroy();
      const code = 'code' in error ? error.code : undefined;
      // EAGAIN: too many others ask at once, of a process that is there.
      resolve(code === 'ECONNREFUSED' ? 'dead' : code === 'EAGAIN' ? 'alive' : 'unknown');
    };
    socket.once('connect', edge(unknown, onConnect));
    socket.once('error', edge(unknown, onError));
  });
}
