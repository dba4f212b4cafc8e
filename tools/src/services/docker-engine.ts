import { aptInstall } from './apt-install.js';
import { writeDaemonConfig } from './docker/daemon-files.js';
import { DockerDaemon } from './docker/docker-daemon.js';
import { DaemonEnded, launchDaemon } from './docker/launch-daemon.js';
import { findProgram } from './find-program.js';
import { withMachineLock } from './machine-lock.js';
import type { ProcessIdentity } from './process-identity.js';
import { ServiceUnavailable } from './service-unavailable.js';
import { sharedRoot } from './shared-root.js';
import { createRoot, sweepAbandoned } from './throwaway-root.js';

/** An engine that answers Docker's Engine API. */
export interface DockerEngine {
  readonly socketPath: string;
  /** The same as a value of `DOCKER_HOST`. */
  readonly dockerHost: string;
  /** Ends an engine that was started for this caller alone; leaves one that others use too. */
  stop(): Promise<void>;
}

/** An engine of this caller alone, which it may kill. */
export interface PrivateDockerEngine extends DockerEngine {
  /** The folder of all its data. */
  readonly root: string;
  /** The pid of dockerd; undefined while it does not run. */
  readonly pid: number | undefined;
  /** The pid of the containerd that this dockerd started; undefined while it does not run. */
  readonly containerdPid: number | undefined;
  /** Ends dockerd with SIGKILL, and nothing else: its containerd follows by itself, containers run on. */
  kill(): Promise<void>;
  /** Starts dockerd again on the same data; one that runs is asked to end first. */
  restart(): Promise<void>;
}

export interface PrivateDockerEngineOptions {
  /** Whether containers live on while the engine is gone; else its next start ends them. @defaultValue false */
  readonly liveRestore?: boolean;
}

/**
 * Gives an engine for tests: the one `MCPINFRA_TEST_DOCKER_HOST` names, or else the test run's, or else a private one.
 *
 * @throws ServiceUnavailable with the reason, when there is none and none can be started.
 */
export async function startDockerEngine(): Promise<DockerEngine> {
  const dockerHost = process.env['MCPINFRA_TEST_DOCKER_HOST'];
  if (dockerHost !== undefined && dockerHost !== '') return namedEngine(dockerHost);
  const root = await sharedRoot('docker', async (owner) => (await launchPrivate({}, owner)).root);
  return root === undefined
    ? await startPrivateDockerEngine()
    : namedEngine(new DockerDaemon(root).dockerHost);
}

/**
 * Starts an engine of the caller's own, from a dockerd of this machine or of Debian's packages.
 *
 * @throws ServiceUnavailable with the reason, when that cannot be.
 */
export async function startPrivateDockerEngine(
  options: PrivateDockerEngineOptions = {},
): Promise<PrivateDockerEngine> {
  return await launchPrivate(options, undefined);
}

/** Stops the engine in a folder, whoever started it. */
export async function stopDockerEngine(root: string): Promise<void> {
  await new DockerDaemon(root).stop();
}

function namedEngine(dockerHost: string): DockerEngine {
  const socketPath = dockerHost.replace(/^unix:\/\//, '');
  if (!socketPath.startsWith('/')) {
    throw new ServiceUnavailable(
      'Docker',
      `MCPINFRA_TEST_DOCKER_HOST must be unix:///path/of/a/socket, got '${dockerHost}'`,
    );
  }
  return { socketPath, dockerHost: `unix://${socketPath}`, stop: async () => {} };
}

async function launchPrivate(
  { liveRestore = false }: PrivateDockerEngineOptions,
  owner: ProcessIdentity | undefined,
): Promise<DockerDaemon> {
  const binary = await findDockerd();
  const root = await withMachineLock('docker', async () => {
    await sweepAbandoned('docker', stopDockerEngine);
    const created = await createRoot('docker', owner);
    await writeDaemonConfig(created, { storageDriver: 'overlay2', liveRestore });
    return created;
  });
  try {
    await launchOnAnyStorage(binary, root, liveRestore);
  } catch (cause) {
    await stopDockerEngine(root);
    throw new ServiceUnavailable('Docker', String(cause), { cause });
  }
  return new DockerDaemon(root);
}

/** A temporary folder that lies on an overlay itself cannot carry another one. */
async function launchOnAnyStorage(binary: string, root: string, liveRestore: boolean): Promise<void> {
  try {
    await launchDaemon(binary, root);
  } catch (cause) {
    if (!(cause instanceof DaemonEnded) || !/graphdriver|overlay/.test(cause.message)) throw cause;
    await writeDaemonConfig(root, { storageDriver: 'vfs', liveRestore });
    await launchDaemon(binary, root);
  }
}

async function findDockerd(): Promise<string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new ServiceUnavailable(
      'Docker',
      'a private engine needs Linux and root; set MCPINFRA_TEST_DOCKER_HOST=unix:///var/run/docker.sock to use a running one',
    );
  }
  const program = async () => findProgram('dockerd');
  return (await program()) ?? (await aptInstall('Docker', { packages: ['docker.io', 'iptables'], program }));
}
