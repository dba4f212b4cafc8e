import { defaults, mcpError, parseByteSize } from '@mcpinfra/core/plugin';
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
export interface DockerProviderOptions {
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
  /** The memory of a container whose document says nothing. @defaultValue `512m`, or `maxMemory` if that is less */
  readonly defaultMemory?: string | undefined;
  /** The CPUs of a container whose document says nothing. @defaultValue 1, or `maxCpus` if that is less */
  readonly defaultCpus?: number | undefined;
  /** The processes and threads of a container whose document says nothing. @defaultValue 256, or `maxPids` if less */
  readonly defaultPids?: number | undefined;
  /** The most memory a document may ask for. @defaultValue no bound */
  readonly maxMemory?: string | undefined;
  /** The most CPUs a document may ask for. @defaultValue no bound */
  readonly maxCpus?: number | undefined;
  /** The most processes and threads a document may ask for. @defaultValue no bound */
  readonly maxPids?: number | undefined;
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
  readonly defaultMemory: string;
  readonly defaultCpus: number;
  readonly defaultPids: number;
  readonly maxMemory: string | undefined;
  readonly maxCpus: number | undefined;
  readonly maxPids: number | undefined;
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
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) refuse(key, `one of ${known.join(', ')}`, 'an unknown option');
  }
  const { maxMemory, maxCpus, maxPids, secretDir } = options;
  const { allowVolumes = [], allowCapabilities = [], networkPool = '10.201.0.0/16' } = options;
  checkWords('allowVolumes', allowVolumes);
  checkWords('allowCapabilities', allowCapabilities);
  const mostBytes = checkSize('maxMemory', maxMemory);
  checkNumber('maxCpus', maxCpus);
  checkNumber('maxPids', maxPids);
  const defaultMemory = options.defaultMemory ?? lesserSize(defaults.memoryLimit, maxMemory);
  const defaultCpus = options.defaultCpus ?? Math.min(Number(defaults.cpuLimit), maxCpus ?? Infinity);
  const defaultPids = options.defaultPids ?? Math.min(defaults.pidsLimit, maxPids ?? Infinity);
  if (checkSize('defaultMemory', defaultMemory) > mostBytes)
    refuse('defaultMemory', `at most maxMemory, ${String(maxMemory)}`, defaultMemory);
  checkNumber('defaultCpus', defaultCpus);
  checkNumber('defaultPids', defaultPids);
  if (defaultCpus > (maxCpus ?? Infinity))
    refuse('defaultCpus', `at most maxCpus, ${String(maxCpus)}`, defaultCpus);
  if (defaultPids > (maxPids ?? Infinity))
    refuse('defaultPids', `at most maxPids, ${String(maxPids)}`, defaultPids);
  if (secretDir !== undefined && (typeof secretDir !== 'string' || !secretDir.startsWith('/')))
    refuse('secretDir', 'an absolute path', secretDir);
  const pool = typeof networkPool === 'string' ? parseSubnet(networkPool) : undefined;
  if (pool === undefined || pool.prefix > 24)
    return refuse('networkPool', 'a subnet of /24 or more, such as "10.201.0.0/16"', networkPool);
  return {
    connection: resolveConnection(options),
    defaultMemory,
    defaultCpus,
    defaultPids,
    maxMemory,
    maxCpus,
    maxPids,
    allowVolumes,
    allowCapabilities,
    networkPool: pool,
    secretDir,
  };
}

function resolveConnection({ socketPath, host, port, tls, docker }: DockerProviderOptions): DockerConnection {
  const ways = Object.entries({ socketPath, host, docker }).filter(([, value]) => value !== undefined);
  if (ways.length > 1)
    refuse(ways[1]?.[0] ?? '', `absent besides ${ways[0]?.[0] ?? ''}: one address is enough`, 'both');
  for (const [name, value] of Object.entries({ socketPath, host })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      refuse(name, 'text that is not empty', value);
  }
  if (host === undefined && (port !== undefined || tls !== undefined))
    refuse(port === undefined ? 'tls' : 'port', 'given together with host', 'it alone');
  if (docker !== undefined) {
    if (typeof docker !== 'object' || typeof docker.modem !== 'object')
      refuse('docker', 'an instance of dockerode', docker);
    return { kind: 'given', docker };
  }
  if (host === undefined) return { kind: 'socket', socketPath: socketPath ?? '/var/run/docker.sock' };
  checkNumber('port', port);
  return { kind: 'tcp', host, port: port ?? (tls ? 2376 : 2375), tls };
}

function lesserSize(size: string, bound: string | undefined): string {
  return bound !== undefined && (parseByteSize(bound) ?? Infinity) < (parseByteSize(size) ?? 0)
    ? bound
    : size;
}

// Hosts in plain JavaScript have no compiler to tell them.
function checkWords(name: string, words: unknown): void {
  if (!Array.isArray(words)) return refuse(name, 'a list of texts', words);
  for (const word of words as readonly unknown[]) {
    if (typeof word !== 'string' || word === '') refuse(name, 'texts that are not empty', word);
  }
}

function checkSize(name: string, size: unknown): number {
  if (size === undefined) return Infinity;
  const bytes = typeof size === 'string' ? parseByteSize(size) : undefined;
  if (bytes === undefined || bytes === 0) return refuse(name, 'a size such as "512m"', size);
  return bytes;
}

function checkNumber(name: string, count: unknown): void {
  if (count === undefined) return;
  const whole = name.endsWith('Cpus') || Number.isInteger(count);
  if (typeof count !== 'number' || !Number.isFinite(count) || count <= 0 || !whole)
    refuse(name, name.endsWith('Cpus') ? 'a number above 0' : 'a whole number above 0', count);
}

function refuse(name: string, expected: string, got: unknown): never {
  const shown = typeof got === 'string' ? JSON.stringify(got) : String(got);
  throw mcpError('INVALID_OPTIONS', `dockerProvider: expected ${name} to be ${expected}, got ${shown}.`);
}
