import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { end, identify, identifyByFile, isInGroup, namesFolder, programName } from '../process-identity.js';
import { programPath } from '../find-program.js';
import { daemonFiles } from './daemon-files.js';

/** Ends and removes what an engine whose daemon is gone has left outside its folder: processes, sockets and mounts. */
export async function removeTraces(root: string): Promise<void> {
  const tasks = join(daemonFiles(root).execRoot, 'containerd/daemon/io.containerd.runtime.v2.task/moby');
  for (const id of await readdir(tasks).catch(() => [])) await removeTask(tasks, id);
  for (const pid of await shimsOf(root)) await kill(pid);
  for (const path of await mountsBelow(root)) {
    await promisify(execFile)('umount', ['--lazy', path], { env: { PATH: programPath() } });
  }
}

/** A shim that is killed leaves its container running and its socket in a folder that all engines share. */
async function removeTask(tasks: string, id: string): Promise<void> {
  const folder = join(tasks, id);
  const container = identifyByFile(join(folder, 'init.pid'), (pid) => isInGroup(pid, id));
  if (container !== undefined) await end(container, 'SIGKILL', 5_000);
  const address = await readFile(join(folder, 'address'), 'utf8').catch(() => '');
  if (address.startsWith('unix://')) await rm(address.slice('unix://'.length), { force: true });
}

async function kill(pid: number): Promise<void> {
  const process = identify(pid);
  if (process !== undefined) await end(process, 'SIGKILL', 5_000);
}

async function shimsOf(root: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  return pids.filter((pid) => programName(pid).startsWith('containerd-shim') && namesFolder(pid, root));
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
