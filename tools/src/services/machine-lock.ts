import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs one action at a time among all processes of the machine that use the name.
 *
 * The lock is the name of an abstract socket, which the kernel takes back from a process that dies: there is no stale
 * lock. Other systems than Linux have no such names and no lock.
 */
export async function withMachineLock<T>(name: string, action: () => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') return await action();
  const release = await acquire(`\0mcpinfra-${name}`);
  try {
    return await action();
  } finally {
    release();
  }
}

async function acquire(path: string): Promise<() => void> {
  for (;;) {
    const server = createServer();
    server.listen(path);
    try {
      await once(server, 'listening');
      return () => server.close();
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
      await sleep(50);
    }
  }
}
