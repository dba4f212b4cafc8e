import * as z from 'zod';
import { specFields, type JsonSpec } from '@mcpinfra/core/plugin';

/** A server that runs as a child process of the worker. */
export interface ProcessSpec extends JsonSpec {
  readonly type: 'process';
  /** The program and its arguments, each handed over as it is: there is no shell. */
  readonly command: readonly string[];
  /** Where the server listens; `auto` takes a free loopback port and gives it as `PORT`. Left out for stdio. */
  readonly port?: number | 'auto' | undefined;
  /** The `Host` header the server insists on. @defaultValue the address that is dialled */
  readonly host_header?: string | undefined;
  /** The directory the server starts in. @defaultValue the worker's own */
  readonly cwd?: string | undefined;
  readonly resources?: ProcessResources | undefined;
}

/** What a local process may use. */
export interface ProcessResources {
  /** A size such as `256m`. @defaultValue 512m */
  readonly memory_limit?: string | undefined;
  /** How many processes and threads. @defaultValue 256 */
  readonly pids_limit?: number | undefined;
}

const {
  commandLine,
  commandRule,
  withoutAlias,
  someText,
  environment,
  labels,
  plainEnvironment,
  healthCheck,
  lifecycle,
  alias,
  endpointPath,
  hostHeader,
  port,
  protocolEra,
  reachRule,
  transport,
  session,
  specObject,
  memoryLimit,
  pidsLimit,
} = specFields;

/** What a local process may use. */
const processResources = specObject({
  memory_limit: memoryLimit.optional(),
  pids_limit: pidsLimit.optional(),
  cpu_limit: z
    .never({
      error:
        'A local process cannot be held to a share of the CPUs without a control group. ' +
        'Remove cpu_limit, or run the server as a container.',
    })
    .optional(),
});

/** Parses a document of type `process`. */
export const processSpecSchema: z.ZodType<ProcessSpec> = specObject(
  {
    type: z.literal('process'),
    command: commandLine.optional(),
    cmd: commandLine.optional(),
    transport: transport.optional(),
    port: z
      .union([port, z.literal('auto')], { error: 'Expected a whole number from 1 to 65535, or "auto"' })
      .optional(),
    path: endpointPath.optional(),
    host_header: hostHeader.optional(),
    environment: environment.optional(),
    plain_environment: plainEnvironment.optional(),
    cwd: someText.optional(),
    resources: processResources.optional(),
    health_check: healthCheck.optional(),
    session: session.optional(),
    alias: alias.optional(),
    lifecycle: lifecycle.optional(),
    protocol_era: protocolEra.optional(),
    labels: labels.optional(),
  },
  (members, report) => {
    commandRule(members, report);
    reachRule('Set port to the one the server listens on, or to auto for a free one.')(members, report);
    if (members['command'] === undefined && members['cmd'] === undefined) {
      const message = 'Expected the program and its arguments, such as ["node", "server.js"].';
      report('command', 'required', message);
    }
    const variables = members['environment'];
    if (
      members['port'] === 'auto' &&
      typeof variables === 'object' &&
      variables !== null &&
      'PORT' in variables
    ) {
      report(
        'environment',
        'conflict',
        'With port: auto the variable PORT is set by the library. Remove it, or set port.',
      );
    }
  },
).transform((spec) => {
  const { command = [], ...rest } = withoutAlias(spec);
  return { ...rest, command };
});
