import * as z from 'zod';
import { argumentList, commandRule, withoutAlias } from './fields/arguments.js';
import { registry } from './fields/registry.js';
import { environment, labels, plainEnvironment } from './fields/environment.js';
import { absolutePath, tmpfs, user, volumes } from './fields/files.js';
import { healthCheck } from './fields/health-check.js';
import { isolation } from './fields/isolation.js';
import { lifecycle } from './fields/lifecycle.js';
import { network } from './fields/network.js';
import { alias, endpointPath, hostHeader, port, protocolEra, reachRule, transport } from './fields/reach.js';
import { containerResources } from './fields/resources.js';
import { session } from './fields/session.js';
import { specObject } from './fields/spec-object.js';
import type { JsonSpec } from './json-spec.js';

/** A server that runs in a container. */
export interface ContainerSpec extends JsonSpec {
  readonly type: 'docker';
  /** The image, with a tag or digest; the server's `dockerImageUrl` where an instance leaves it out. */
  readonly image: string;
  /** Where the server listens inside the container; left out for a stdio server. */
  readonly port?: number | undefined;
  /** The `Host` header the server insists on. @defaultValue the address that is dialled */
  readonly host_header?: string | undefined;
  /** Arguments after the image's entrypoint, each handed over as it is. */
  readonly command?: readonly string[] | undefined;
  /** Replaces the image's entrypoint. */
  readonly entrypoint?: readonly string[] | undefined;
  readonly resources?: ContainerResources | undefined;
  /** How far the container is kept apart. @defaultValue untrusted */
  readonly isolation?: IsolationTier | IsolationSpec | undefined;
  readonly network?: NetworkSpec | undefined;
  /** What is mounted from outside; the host allows each source. */
  readonly volumes?: readonly VolumeSpec[] | undefined;
  /** Directories kept in memory, besides `/tmp`. */
  readonly tmpfs?: readonly TmpfsSpec[] | undefined;
  /** Whom the server runs as, for example `1000:1000`. @defaultValue the image's user, or 65532 where that is root */
  readonly user?: string | undefined;
  /** Whether the root file system is read-only. @defaultValue true */
  readonly read_only?: boolean | undefined;
  /** The directory the server starts in. @defaultValue the image's */
  readonly workdir?: string | undefined;
  /**
   * How secrets reach the server: as variables, or as files under `/run/secrets` whose paths are in `NAME_FILE`.
   *
   * @defaultValue env
   */
  readonly secret_delivery?: 'env' | 'file' | undefined;
  /** With what the image is fetched from a private registry; both values may be references. */
  readonly registry?: RegistryCredentials | undefined;
}

/** What a container may use. */
export interface ContainerResources {
  /** A size such as `256m`. @defaultValue 512m */
  readonly memory_limit?: string | undefined;
  /** A number of CPUs as text, such as `0.5`. @defaultValue 1 */
  readonly cpu_limit?: string | undefined;
  /** How many processes and threads. @defaultValue 256 */
  readonly pids_limit?: number | undefined;
}

/** A named set of controls; the first is the strictest. */
export type IsolationTier = 'untrusted' | 'standard' | 'trusted';

/** A tier, and the single controls granted beyond it. */
export interface IsolationSpec {
  /** @defaultValue untrusted */
  readonly tier?: IsolationTier | undefined;
  /** Linux capabilities to keep, without `CAP_`, for example `NET_BIND_SERVICE`. */
  readonly capabilities?: readonly string[] | undefined;
  /** Whether a program may gain privileges, as `sudo` does. @defaultValue false */
  readonly new_privileges?: boolean | undefined;
}

/** What a container may reach. */
export interface NetworkSpec {
  /** Nothing, other containers on an internal network, or everything. @defaultValue none */
  readonly egress?: 'none' | 'internal' | 'open' | undefined;
  /** Destinations reached all the same, each `host:port`. */
  readonly allow?: readonly string[] | undefined;
}

/** A directory, file or named volume from outside. */
export interface VolumeSpec {
  /** A path on the engine's machine, or the name of a volume. */
  readonly source: string;
  readonly target: string;
  /** @defaultValue true */
  readonly read_only?: boolean | undefined;
}

/** A directory kept in memory. */
export interface TmpfsSpec {
  readonly path: string;
  /** The most it holds, for example `64m`. */
  readonly size?: string | undefined;
}

/** Credentials for the registry of an image. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

const image = z
  .string({ error: 'Expected the name of an image, such as "mcp/filesystem:latest"' })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}$/u);

/** Parses a document of type `docker`. */
export const containerSpecSchema: z.ZodType<ContainerSpec> = specObject(
  {
    type: z.literal('docker'),
    image,
    transport: transport.optional(),
    port: port.optional(),
    path: endpointPath.optional(),
    host_header: hostHeader.optional(),
    environment: environment.optional(),
    plain_environment: plainEnvironment.optional(),
    command: argumentList.optional(),
    cmd: argumentList.optional(),
    entrypoint: argumentList.optional(),
    resources: containerResources.optional(),
    health_check: healthCheck.optional(),
    isolation: isolation.optional(),
    network: network.optional(),
    volumes: volumes.optional(),
    tmpfs: tmpfs.optional(),
    user: user.optional(),
    read_only: z.boolean().optional(),
    labels: labels.optional(),
    workdir: absolutePath.optional(),
    session: session.optional(),
    alias: alias.optional(),
    lifecycle: lifecycle.optional(),
    protocol_era: protocolEra.optional(),
    secret_delivery: z.enum(['env', 'file']).optional(),
    registry: registry.optional(),
  },
  (members, report) => {
    commandRule(members, report);
    reachRule('Set port to the one the server listens on inside the container.')(members, report);
  },
).transform(withoutAlias);
