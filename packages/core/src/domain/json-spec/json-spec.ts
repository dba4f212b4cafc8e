/**
 * The portable document inside an instance. It is data: its keys are the snake_case of the wire everywhere.
 *
 * Core reads only what every type shares; the rest belongs to the provider of its `type`.
 */
export interface JsonSpec {
  readonly type: string;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly transport?: TransportName | undefined;
  readonly port?: number | 'auto' | undefined;
  readonly path?: string | undefined;
  /** Where a server that runs elsewhere is reached. */
  readonly endpoint?: string | undefined;
  readonly health_check?: string | HealthCheckSpec | undefined;
  readonly lifecycle?: LifecycleSpec | undefined;
  readonly session?: SessionSpec | undefined;
  readonly protocol_era?: ProtocolEraChoice | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The short name before a tool's name where several servers are offered as one; at most 16 of `a-z 0-9 -`. */
  readonly alias?: string | undefined;
  /** Variables that may stay in clear although their names or values look like secrets. */
  readonly plain_environment?: readonly string[] | undefined;
}

/** How a server is spoken to. */
export type TransportName = 'http' | 'stdio' | 'sse';

/** Which era of the protocol a server is spoken to in; `auto` finds out. */
export type ProtocolEraChoice = 'legacy' | 'auto' | 'modern';

/** How the health of a server is known; times in seconds. */
export interface HealthCheckSpec {
  /** @defaultValue `http` when a `path` is given, else `mcp` */
  readonly type?: 'mcp' | 'http' | 'tcp' | 'none' | undefined;
  /** With a leading slash it is resolved against the endpoint's origin, without one under the endpoint. */
  readonly path?: string | undefined;
  /** @defaultValue 30 */
  readonly interval?: number | undefined;
  /** At most 60. @defaultValue 10 */
  readonly timeout?: number | undefined;
  /** Failures in a row that make it `unhealthy`. @defaultValue 3 */
  readonly retries?: number | undefined;
  /** Time after the start during which failures do not count. @defaultValue 0 */
  readonly start_period?: number | undefined;
  /** A tool called without arguments as the last step of a check; its answer must not be an error. */
  readonly canary_tool?: string | undefined;
}

/** When a copy runs; times in seconds. */
export interface LifecycleSpec {
  /** `on-demand` runs only while somebody uses it. @defaultValue eager */
  readonly start?: 'eager' | 'on-demand' | undefined;
  /** How long an on-demand instance stays up unused. @defaultValue 300 */
  readonly idle_timeout?: number | undefined;
  /** From the polite request to end until the forced one. @defaultValue 10 */
  readonly stop_grace?: number | undefined;
  /** How long the copy that an update replaced serves on for the clients connected to it. @defaultValue 30 */
  readonly drain_timeout?: number | undefined;
  /** Restarts after crashes in a row before it stays `failed`. @defaultValue unlimited */
  readonly max_restarts?: number | undefined;
  /** From the running process until the first passed probe. @defaultValue 60 */
  readonly startup_timeout?: number | undefined;
  /** How long calls in flight hold back the restart of a server that fails its probes, in seconds without a byte of it. @defaultValue 60 */
  readonly busy_timeout?: number | undefined;
}

/** How clients share a stdio server. */
export interface SessionSpec {
  /** @defaultValue shared */
  readonly policy?: 'shared' | 'per-session' | undefined;
  readonly max?: number | undefined;
  readonly idle_timeout?: number | undefined;
}
