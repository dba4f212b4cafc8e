import {
  OptionChecks,
  type ResourceLimits,
  type ResourceOptions,
  resolveResourceLimits,
} from '@mcpinfra/core/plugin';

/** Options of {@link processProvider}. */
export interface ProcessProviderOptions extends Omit<ResourceOptions, 'defaultCpus' | 'maxCpus'> {
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
