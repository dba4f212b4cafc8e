import { OptionChecks, type ResourceLimits, resolveResourceLimits } from '@mcpinfra/core/plugin';

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
  readonly limits: ResourceLimits;
  readonly placement: string | undefined;
}

const check = new OptionChecks('processProvider');
const known = ['allowCommands', 'env', 'defaultMemory', 'defaultPids', 'maxMemory', 'maxPids', 'placement'];

/** Checks the options and fills in the defaults. @throws `INVALID_OPTIONS` */
export function resolveOptions(options: ProcessProviderOptions): ResolvedOptions {
  check.known(options, known);
  const { allowCommands, env = [], placement } = options;
  return {
    allowCommands: allowCommands && new Set(check.texts('allowCommands', allowCommands)),
    env: ['PATH', 'HOME', ...check.texts('env', env)],
    limits: resolveResourceLimits(options, check),
    placement: placement === undefined ? undefined : check.text('placement', placement),
  };
}
