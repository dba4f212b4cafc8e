import { readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { identifyByFile, namesFolder, type ProcessIdentity } from '../process-identity.js';
import { listRoots } from '../throwaway-root.js';

/** Where one private engine keeps what it has, all of it below its root. */
export interface DaemonFiles {
  readonly config: string;
  readonly log: string;
  readonly socket: string;
  readonly pid: string;
  readonly execRoot: string;
  readonly containerdPid: string;
}

export function daemonFiles(root: string): DaemonFiles {
  const execRoot = join(root, 'exec');
  return {
    config: join(root, 'daemon.json'),
    log: join(root, 'dockerd.log'),
    socket: join(root, 'docker.sock'),
    pid: join(root, 'dockerd.pid'),
    execRoot,
    containerdPid: join(execRoot, 'containerd', 'containerd.pid'),
  };
}

/** The dockerd of the folder, or its containerd; undefined while it does not run. */
export function daemonProcess(root: string, file: 'pid' | 'containerdPid'): ProcessIdentity | undefined {
  return identifyByFile(daemonFiles(root)[file], (pid) => namesFolder(pid, root));
}

export interface DaemonSettings {
  readonly storageDriver: 'overlay2' | 'vfs';
  /** Whether containers live on while the engine is gone. */
  readonly liveRestore: boolean;
}

/** Writes a configuration that shares nothing with another engine of the machine: no folder, socket, bridge or subnet. */
export async function writeDaemonConfig(root: string, settings: DaemonSettings): Promise<void> {
  const files = daemonFiles(root);
  const config = {
    'data-root': join(root, 'data'),
    'exec-root': files.execRoot,
    pidfile: files.pid,
    hosts: [`unix://${files.socket}`],
    // The default bridge has one name on a machine. Networks that are created have their own.
    bridge: 'none',
    // /28, because Docker's own pools end at 30 networks.
    'default-address-pools': [{ base: await freeAddressPool(root), size: 28 }],
    'storage-driver': settings.storageDriver,
    'live-restore': settings.liveRestore,
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'log-level': 'warn',
    'shutdown-timeout': 5,
  };
  await writeFile(files.config, JSON.stringify(config, undefined, 2));
}

/** Takes the first /16 of 10.211 to 10.250 that neither a running engine of ours nor an interface of the machine has. */
async function freeAddressPool(root: string): Promise<string> {
  const configs = await Promise.all(
    (await listRoots('docker'))
      .filter((other) => other !== root)
      .map(async (other) => readFile(daemonFiles(other).config, 'utf8').catch(() => '')),
  );
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address));
  for (let second = 211; second <= 250; second++) {
    const prefix = `10.${second}.`;
    const isTaken =
      configs.some((text) => text.includes(`"${prefix}`)) ||
      addresses.some((address) => address?.startsWith(prefix) === true);
    if (!isTaken) return `${prefix}0.0/16`;
  }
  throw new Error('no address pool is free for another engine: 10.211.0.0/16 to 10.250.0.0/16 are taken');
}
