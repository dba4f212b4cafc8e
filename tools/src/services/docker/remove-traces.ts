import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { identify, end, identifyByFile } from '../process-identity.js';
import { programPath } from '../find-program.js';
import { daemonFiles } from './daemon-files.js';

/** Ends and removes what an engine whose daemon is gone has left outside its folder: processes, sockets and mounts. */
export async function removeTraces(root: string): Promise<void> {
  const tasks = join(daemonFiles(root).execRoot, 'containerd/daemon/io.containerd.runtime.v2.task/moby');
  for (const id of await readdir(tasks).catch(() => [])) await removeTask(join(tasks, id));
  for (const pid of await processesNaming(root)) await kill(pid);
  for (const path of await mountsBelow(root)) {
    await promisify(execFile)('umount', ['--lazy', path], { env: { PATH: programPath() } });
  }
}

/** A shim that is killed leaves its container running and its socket in a folder that all engines share. */
async function removeTask(folder: string): Promise<void> {
  const container = await identifyByFile(join(folder, 'init.pid'));
  if (container !== undefined) await end(container, 'SIGKILL', 5_000);
  const address = await readFile(join(folder, 'address'), 'utf8').catch(() => '');
  if (address.startsWith('unix://')) await rm(address.slice('unix://'.length), { force: true });
}

async function kill(pid: number): Promise<void> {
  const process = identify(pid);
  if (process !== undefined) await end(process, 'SIGKILL', 5_000);
}

/** Shims and proxies name a path below the root in their arguments. */
async function processesNaming(root: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return line.split('\0').some((argument) => argument.startsWith(`${root}/`));
    }),
  );
  return pids.filter((_, index) => found[index]);
}

/** Deepest first. */
async function mountsBelow(root: string): Promise<string[]> {
  const table = await readFile('/proc/self/mounts', 'utf8');
  return table
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${root}/`))
    .reverse();
}
