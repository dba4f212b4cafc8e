import * as z from 'zod';
import { commandLine, commandRule, withoutAlias } from './fields/arguments.js';
import { someText } from './fields/common.js';
import { environment, labels, plainEnvironment } from './fields/environment.js';
import { healthCheck } from './fields/health-check.js';
import { lifecycle } from './fields/lifecycle.js';
import { alias, endpointPath, hostHeader, port, protocolEra, reachRule, transport } from './fields/reach.js';
import { processResources } from './fields/resources.js';
import { session } from './fields/session.js';
import { specObject } from './fields/spec-object.js';
import type { JsonSpec } from './json-spec.js';

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
