import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { eventually } from '../eventually.js';
import { programPath } from '../find-program.js';
import { withMachineLock } from '../machine-lock.js';
import { gone } from '../process-identity.js';
import { daemonFiles, daemonProcess } from './daemon-files.js';
import { EngineApi } from './engine-api.js';
import { keepFirewall } from './keep-firewall.js';

/** Says that dockerd ended before it answered, with the last it wrote. */
export class DaemonEnded extends Error {
  override readonly name = 'DaemonEnded';
}

interface Network {
  readonly Id: string;
  readonly Options: Readonly<Record<string, string>>;
}

/**
 * Starts dockerd on the folder and waits until it answers.
 *
 * @throws DaemonEnded when it ends first.
 */
export async function launchDaemon(binary: string, root: string): Promise<void> {
  const api = new EngineApi(daemonFiles(root).socket);
  // One at a time: each start reads the firewall, and puts back what it broke.
  await withMachineLock('firewall', async () =>
    keepFirewall(
      async () => launch(binary, root, api),
      async () => {
        const networks = await api.json<Network[]>('GET', '/networks');
        return networks.map(
          ({ Id, Options }) => Options['com.docker.network.bridge.name'] ?? `br-${Id.slice(0, 12)}`,
        );
      },
    ),
  );
}

async function launch(binary: string, root: string, api: EngineApi): Promise<void> {
  const files = daemonFiles(root);
  // The containerd of a dockerd that was killed dies a moment later.
  const containerd = daemonProcess(root, 'containerdPid');
  if (containerd !== undefined) await gone(containerd, 15_000);
  // dockerd takes its zombie for a containerd that runs, waits for that in vain, and ends.
  await rm(files.containerdPid, { force: true });
  await rm(files.pid, { force: true });

  const log = await open(files.log, 'a');
  const child = spawn(binary, ['--config-file', files.config], {
    detached: true,
    env: { PATH: programPath(), HOME: process.env['HOME'] ?? '/root' },
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const ended = once(child, 'exit').then(async () => {
    throw new DaemonEnded(
      `dockerd ended at its start:\n${(await readFile(files.log, 'utf8')).slice(-2_000)}`,
    );
  });
  await Promise.race([eventually('dockerd to answer', 60_000, async () => api.isReady()), ended]);
  ended.catch(() => {});
  child.unref();
}
