import { defaults, mcpError, parseByteSize } from '@mcpinfra/core/plugin';

/** Options of {@link processProvider}. */
export interface ProcessProviderOptions {
  /**
   * The commands that may be run, compared with the first word of `json_spec.command` as it is written.
   *
   * @defaultValue any command
   */
  readonly allowCommands?: readonly string[] | undefined;
  /**
   * Variables of this process that servers inherit besides `PATH` and `HOME`, for example `LANG`.
   *
   * @defaultValue none
   */
  readonly env?: readonly string[] | undefined;
  /**
   * The memory a server and all its children may have where its document says nothing.
   *
   * @defaultValue `512m`, or `maxMemory` if that is less
   */
  readonly defaultMemory?: string | undefined;
  /**
   * How many processes and threads a server and all its children may have where its document says nothing.
   *
   * @defaultValue 256, or `maxPids` if that is less
   */
  readonly defaultPids?: number | undefined;
  /** The most memory a document may ask for. @defaultValue no bound */
  readonly maxMemory?: string | undefined;
  /** The most processes and threads a document may ask for. @defaultValue no bound */
  readonly maxPids?: number | undefined;
  /**
   * Names where the servers live, for machines that have no lasting name, such as containers: workers that give the
   * same name take over each other's instances.
   *
   * @defaultValue the machine's id, or its host name where it has none
   */
  readonly placement?: string | undefined;
}

/** The options with nothing left open. */
export interface ResolvedOptions {
  readonly allowCommands: ReadonlySet<string> | undefined;
  /** The names of all variables that servers inherit. */
  readonly env: readonly string[];
  readonly defaultMemory: string;
  readonly defaultPids: number;
  readonly maxMemory: string | undefined;
  readonly maxPids: number | undefined;
  readonly placement: string | undefined;
}

const known = ['allowCommands', 'env', 'defaultMemory', 'defaultPids', 'maxMemory', 'maxPids', 'placement'];

/** Checks the options and fills in the defaults. @throws `INVALID_OPTIONS` */
export function resolveOptions(options: ProcessProviderOptions): ResolvedOptions {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) refuse(key, `one of ${known.join(', ')}`, 'an unknown option');
  }
  const { allowCommands, env = [], maxMemory, maxPids, placement } = options;
  checkWords('allowCommands', allowCommands ?? []);
  checkWords('env', env);
  if (placement !== undefined) checkWords('placement', [placement]);
  const maxBytes = checkSize('maxMemory', maxMemory);
  checkCount('maxPids', maxPids);
  const defaultMemory = options.defaultMemory ?? smallerSize(defaults.memoryLimit, maxMemory);
  const defaultPids = options.defaultPids ?? Math.min(defaults.pidsLimit, maxPids ?? Infinity);
  if (checkSize('defaultMemory', defaultMemory) > maxBytes) {
    refuse('defaultMemory', `at most maxMemory, ${String(maxMemory)}`, defaultMemory);
  }
  checkCount('defaultPids', defaultPids);
  if (defaultPids > (maxPids ?? Infinity))
    refuse('defaultPids', `at most maxPids, ${String(maxPids)}`, defaultPids);
  return {
    allowCommands: allowCommands && new Set(allowCommands),
    env: ['PATH', 'HOME', ...env],
    defaultMemory,
    defaultPids,
    maxMemory,
    maxPids,
    placement,
  };
}

function smallerSize(size: string, bound: string | undefined): string {
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

function checkCount(name: string, count: unknown): void {
  if (count !== undefined && !(Number.isInteger(count) && Number(count) > 0))
    refuse(name, 'a whole number above 0', count);
}

function refuse(name: string, expected: string, got: unknown): never {
  const shown = typeof got === 'string' ? JSON.stringify(got) : String(got);
  throw mcpError('INVALID_OPTIONS', `processProvider: expected ${name} to be ${expected}, got ${shown}.`);
}
