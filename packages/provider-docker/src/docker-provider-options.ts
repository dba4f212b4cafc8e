import {
  OptionChecks,
  type ResourceLimits,
  type ResourceOptions,
  resolveResourceLimits,
} from '@mcpinfra/core/plugin';
import { parseSubnet, type Subnet } from './subnet.js';

/** A client of the engine that the host has made: an instance of dockerode. */
export interface DockerClient {
  readonly modem: unknown;
}

/** What an engine that listens on TLS is shown and checked against; texts or buffers of PEM. */
export interface DockerTLS {
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** Options of {@link dockerProvider}. */
export interface DockerProviderOptions extends ResourceOptions {
  /** The engine's socket. @defaultValue `/var/run/docker.sock` */
  readonly socketPath?: string | undefined;
  /** The name or address of an engine that listens on TCP, in the place of a socket. */
  readonly host?: string | undefined;
  /** The port of that engine. @defaultValue 2376 with `tls`, else 2375 */
  readonly port?: number | undefined;
  /** What that engine is shown; without it nothing is encrypted. */
  readonly tls?: DockerTLS | undefined;
  /** A dockerode instance, in the place of an address; `new Docker()` reads `DOCKER_HOST`. */
  readonly docker?: DockerClient | undefined;
  /**
   * What documents may mount: directories of the engine's machine with everything below them, and names of volumes.
   *
   * @defaultValue nothing
   */
  readonly allowVolumes?: readonly string[] | undefined;
  /**
   * The capabilities documents may ask for beyond those that engines grant by default, without `CAP_`.
   *
   * @defaultValue none
   */
  readonly allowCapabilities?: readonly string[] | undefined;
  /**
   * The addresses that networks of containers are taken from, 13 usable ones for each. Set it where the default is
   * routed elsewhere.
   *
   * @defaultValue `10.201.0.0/16`
   */
  readonly networkPool?: string | undefined;
  /**
   * A directory on a tmpfs that this process and the engine share, such as `/dev/shm/mcp`; documents with
   * `secret_delivery: file` need it.
   *
   * @defaultValue none: such documents are refused
   */
  readonly secretDir?: string | undefined;
}

/** The options with nothing left open. */
export interface ResolvedOptions {
  readonly connection: DockerConnection;
  readonly limits: ResourceLimits;
  readonly allowVolumes: readonly string[];
  readonly allowCapabilities: readonly string[];
  readonly networkPool: Subnet;
  readonly secretDir: string | undefined;
}

/** How the engine is reached. */
export type DockerConnection =
  | { readonly kind: 'socket'; readonly socketPath: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls: DockerTLS | undefined;
    }
  | { readonly kind: 'given'; readonly docker: DockerClient };

const check = new OptionChecks('dockerProvider');
const known = [
  'socketPath',
  'host',
  'port',
  'tls',
  'docker',
  'defaultMemory',
  'defaultCpus',
  'defaultPids',
  'maxMemory',
  'maxCpus',
  'maxPids',
  'allowVolumes',
  'allowCapabilities',
  'networkPool',
  'secretDir',
];

/** Checks the options and fills in the defaults. @throws `INVALID_OPTIONS` */
export function resolveOptions(options: DockerProviderOptions): ResolvedOptions {
  check.known(options, known);
  const { allowVolumes = [], allowCapabilities = [], networkPool = '10.201.0.0/16', secretDir } = options;
  if (secretDir !== undefined && (typeof secretDir !== 'string' || !secretDir.startsWith('/')))
    throw check.unexpected('secretDir', 'an absolute path', secretDir);
  const pool = typeof networkPool === 'string' ? parseSubnet(networkPool) : undefined;
  if (pool === undefined || pool.prefix > 24)
    throw check.unexpected('networkPool', 'a subnet of /24 or more, such as "10.201.0.0/16"', networkPool);
  return {
    connection: resolveConnection(options),
    limits: resolveResourceLimits(options, check),
    allowVolumes: check.texts('allowVolumes', allowVolumes),
    allowCapabilities: check.texts('allowCapabilities', allowCapabilities),
    networkPool: pool,
    secretDir,
  };
}

function resolveConnection({ socketPath, host, port, tls, docker }: DockerProviderOptions): DockerConnection {
  const ways = Object.entries({ socketPath, host, docker }).filter(([, value]) => value !== undefined);
  if (ways.length > 1) {
    const [given = '', other = ''] = ways.map(([name]) => name);
    throw check.wrong(`expected ${other} to be absent besides ${given}: one address is enough`);
  }
  if (host === undefined && (port !== undefined || tls !== undefined))
    throw check.wrong(`expected ${port === undefined ? 'tls' : 'port'} to be given together with host`);
  if (docker !== undefined) {
    if (typeof docker !== 'object' || typeof docker.modem !== 'object')
      throw check.unexpected('docker', 'an instance of dockerode', docker);
    return { kind: 'given', docker };
  }
  if (host === undefined)
    return { kind: 'socket', socketPath: check.text('socketPath', socketPath ?? '/var/run/docker.sock') };
  return {
    kind: 'tcp',
    host: check.text('host', host),
    port: check.whole('port', port ?? (tls ? 2376 : 2375), { most: 65_535 }),
    tls,
  };
}
