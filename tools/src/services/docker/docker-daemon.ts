import { readFile } from 'node:fs/promises';
import { findProgram } from '../find-program.js';
import { end, gone, type ProcessIdentity, signal } from '../process-identity.js';
import { ServiceUnavailable } from '../service-unavailable.js';
import { removeRoot } from '../throwaway-root.js';
import { clearEngine } from './clear-engine.js';
import { daemonFiles, daemonProcess } from './daemon-files.js';
import { EngineApi } from './engine-api.js';
import { launchDaemon } from './launch-daemon.js';
import { removeTraces } from './remove-traces.js';

/** One dockerd with a containerd of its own, known by its folder: any process may end what another has started. */
export class DockerDaemon {
  readonly root: string;
  readonly socketPath: string;
  readonly dockerHost: string;

  constructor(root: string) {
    this.root = root;
    this.socketPath = daemonFiles(root).socket;
    this.dockerHost = `unix://${this.socketPath}`;
  }

  /** The pid of dockerd; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#dockerd?.pid;
  }

  /** The pid of the containerd that this dockerd started; undefined while it does not run. */
  get containerdPid(): number | undefined {
    return this.#containerd?.pid;
  }

  /** Ends dockerd with SIGKILL, and nothing else: its containerd follows by itself, containers run on. */
  async kill(): Promise<void> {
    const dockerd = this.#dockerd;
    if (dockerd === undefined) return;
    signal(dockerd, 'SIGKILL');
    await gone(dockerd, 5_000);
  }

  /** Starts dockerd again on the same data; one that runs is asked to end first. */
  async restart(): Promise<void> {
    await this.#end();
    const binary = await findProgram('dockerd');
    if (binary === undefined) throw new ServiceUnavailable('Docker', 'dockerd is gone from this machine');
    await launchDaemon(binary, this.root);
  }

  /** Removes every container, network, process, mount and file of this engine. */
  async stop(): Promise<void> {
    // Only a daemon that runs can take its bridges and firewall rules away.
    await this.#clear().catch(() => {});
    await this.#end();
    await removeTraces(this.root);
    await removeRoot(this.root);
  }

  async #clear(): Promise<void> {
    if (this.#dockerd === undefined) {
      const hasRun = await readFile(daemonFiles(this.root).log).catch(() => undefined);
      if (hasRun === undefined) return;
      await this.restart();
    }
    await clearEngine(new EngineApi(this.socketPath));
  }

  async #end(): Promise<void> {
    const dockerd = this.#dockerd;
    const containerd = this.#containerd;
    if (dockerd !== undefined) await end(dockerd, 'SIGTERM', 20_000);
    if (containerd !== undefined) await end(containerd, 'SIGTERM', 10_000);
  }

  get #dockerd(): ProcessIdentity | undefined {
    return daemonProcess(this.root, 'pid');
  }

  get #containerd(): ProcessIdentity | undefined {
    return daemonProcess(this.root, 'containerdPid');
  }
}
