/** Who can end a failure: the host or user (`config`), time and a retry (`transient`), or a bug report (`internal`). */
export type ErrorCategory = 'config' | 'transient' | 'internal';

/** One row of the table of error codes. */
export interface ErrorCodeEntry {
  readonly category: ErrorCategory;
  /** Whether the same call, unchanged, may succeed later. The reconciler retries a start only when it is so. */
  readonly retryable: boolean;
  /**
   * What a host answers who asked it over HTTP (RFC 9110): 4xx where the caller has to act, 502 or 504 where a server of the
   * fleet failed, else 500, 501 or 503. A caller that went away is 499, which nobody reads.
   */
  readonly httpStatus: number;
  /** What to do about it, as one sentence for people. */
  readonly remedy: string;
}

const config = (httpStatus: number, remedy: string, retryable = false): ErrorCodeEntry => ({
  category: 'config',
  retryable,
  httpStatus,
  remedy,
});
const transient = (httpStatus: number, remedy: string): ErrorCodeEntry => ({
  category: 'transient',
  retryable: true,
  httpStatus,
  remedy,
});
const internal = (remedy: string): ErrorCodeEntry => ({
  category: 'internal',
  retryable: false,
  httpStatus: 500,
  remedy,
});

/** Every code an error of this library can carry. Codes are stable: hosts and dashboards switch on them. */
export const errorCodes = {
  // What a caller or a host gave is wrong.
  INVALID_OPTIONS: config(400, 'Change the option named in the message; nothing was started.'),
  INVALID_ARGUMENT: config(400, 'Correct the argument named in the message; nothing was changed.'),
  INVALID_SPEC: config(422, 'Correct every field listed in details.issues; nothing was made.'),
  NOT_FOUND: config(404, 'Check the id or name; list() shows what exists in this tenant.'),
  ALREADY_EXISTS: config(409, 'Choose another name, or use ensure() to create or update by name.'),
  CONFLICT: config(409, 'Read the object again, apply the change to what it is now, and retry.', true),
  LIMIT_EXCEEDED: config(429, 'Delete what is no longer needed, or raise the limit named in the message.'),
  SERVER_IN_USE: config(
    409,
    'Delete the instances listed in details.instances first, or pass { cascade: true }.',
  ),
  SERVER_NOT_ACTIVE: config(409, 'Set the status of the server to active before making instances of it.'),
  CAPABILITY_UNSUPPORTED: config(501, 'Use a plugin that has the method named in the message.'),
  SPECIFICATION_VERSION_UNSUPPORTED: config(
    500,
    'Install a version of the plugin made for this version of the core.',
  ),
  NOT_STARTED: config(503, 'Call infra.start() and wait for it first.'),
  ALREADY_STOPPED: config(503, 'Create a new infra: one that was stopped does not start again.'),
  CURSOR_EXPIRED: config(
    410,
    'List the objects afresh, then move the group on by events.groups.seek, or read on from details.oldest - 1.',
  ),
  STORE_LOCKED: config(503, 'Stop the other process that uses this file, or give each process its own.'),
  STORE_CORRUPT: config(500, 'Restore the file from a backup, or move it away to begin with an empty store.'),
  STORE_VERSION: config(500, 'Upgrade this process to the version that last wrote the store.'),
  ABORTED: config(499, 'The signal given by the caller ended the call; call again to retry.', true),

  // Secrets.
  SECRET_NOT_FOUND: config(
    422,
    'Create the secret under the name in the message, or correct the reference.',
    true,
  ),
  SECRET_FORBIDDEN: config(
    403,
    'Name a secret that belongs to the instance, or have the host allow the scope by the option allowScope.',
  ),
  SECRET_STORE_REQUIRED: config(422, 'Give a secret store, or pass a reference instead of the value.'),
  SECRET_BACKEND_FAILED: transient(
    503,
    'Check that the secret backend is reachable and that the credentials are valid.',
  ),

  // A copy that does not run as wanted.
  COMMAND_NOT_FOUND: config(502, 'Install the command, or correct the path in json_spec.command.'),
  COMMAND_NOT_EXECUTABLE: config(502, 'Make the file executable, or start it by its interpreter.'),
  IMAGE_NOT_FOUND: config(502, 'Correct json_spec.image, or build or load the image on the engine.'),
  IMAGE_PULL_DENIED: config(502, 'Give valid credentials in json_spec.registry.'),
  IMAGE_PULL_FAILED: transient(502, 'Check that the engine reaches the registry of the image.'),
  NETWORK_POOL_EXHAUSTED: config(
    503,
    'Delete what is no longer needed, or give the provider a larger networkPool.',
    true,
  ),
  SECRET_FILE_UNSUPPORTED: config(
    422,
    'Give the provider a secretDir on a tmpfs that the engine shares, or use secret_delivery: env.',
  ),
  WORKDIR_NOT_FOUND: config(502, 'Create the directory, or correct the path in json_spec.cwd.'),
  EXITED_AT_START: config(502, 'Read the last log lines: the server ended before it answered.', true),
  EXITED: transient(502, 'The server ended by itself; the last log lines and the exit code say why.'),
  ENGINE_RESTARTED: transient(
    502,
    'Nothing has to be done: the server ended with its engine and is started again.',
  ),
  OUT_OF_MEMORY: config(502, 'Raise resources.memory_limit, or give the server less to do.', true),
  PIDS_LIMIT: config(502, 'Raise resources.pids_limit, or give the server less to do.', true),
  STARTUP_TIMEOUT: config(
    504,
    'Raise lifecycle.startup_timeout, or see the last log lines for what it waits for.',
    true,
  ),
  SPEAKS_STDIO: config(502, 'Remove json_spec.port, or set transport: stdio.'),
  PORT_IN_USE: config(502, 'Choose another port, or use port: auto.', true),
  RESTARTS_EXHAUSTED: config(502, 'Mend the cause in the last log lines, then call start() or restart().'),
  UNHEALTHY: transient(502, 'The health check failed repeatedly; the server is restarted.'),
  UPDATE_ROLLED_BACK: config(
    502,
    'The new version did not become ready; the one before it still serves. Correct the update.',
  ),

  // Reaching a server.
  INSTANCE_STOPPED: config(409, 'Call instances.start() first.'),
  INSTANCE_DELETED: config(410, 'Create the instance again.'),
  INSTANCE_NOT_READY: transient(503, 'Wait with waitUntilReady(); statusDetail says what it waits for.'),
  NOT_OWNER: config(
    503,
    'Ask the process that owns the instance, or let workers listen with the peer option.',
    true,
  ),
  PEER_UNAUTHORIZED: config(
    502,
    'Give every process of the fleet the same peer.key and the same fleet; then call again.',
    true,
  ),
  CONNECTION_REFUSED: transient(
    502,
    'Nothing listens at the address; check the port, or wait until the server listens.',
  ),
  HOST_NOT_FOUND: config(502, 'Correct the host name in the address, or mend the DNS of this host.', true),
  ADDRESS_FORBIDDEN: config(
    403,
    'Use an address that this host allows, or allow it by the option in the message.',
  ),
  REDIRECT_REFUSED: config(
    502,
    'Give the address it redirects to as the endpoint: credentials are sent to one origin only.',
    true,
  ),
  CONNECTION_CLOSED: transient(502, 'The server closed the connection; call again once it runs.'),
  OUTCOME_UNKNOWN: config(
    502,
    'The server went away during the call: check what happened before calling again.',
  ),
  REQUEST_TIMEOUT: transient(504, 'The server did not answer in time; raise the timeout if it needs longer.'),
  UNAUTHORIZED: config(502, 'Give valid credentials in json_spec.authentication or headers.', true),
  TOKEN_REQUEST_FAILED: transient(
    502,
    'Check authentication.token_url and whether the authorization server is well.',
  ),
  HTTP_STATUS: transient(502, 'The server answered with the HTTP status in the message; see its logs.'),
  PROTOCOL_ERROR: config(502, 'The peer did not speak MCP; check port, path and transport.', true),
  ERA_MISMATCH: config(502, 'Set protocol_era to what the server speaks, or to auto.', true),
  MESSAGE_TOO_LARGE: config(
    413,
    'Ask for less at once: the message was larger than the limit in the message.',
  ),
  SERVER_NOT_READING: transient(
    504,
    'The server reads nothing of what it is sent; see its logs for what it is busy with, or restart it.',
  ),
  SESSION_LIMIT: transient(503, 'Close a session that is no longer used, or raise session.max.'),

  // Plugins and infrastructure.
  PLUGIN_TIMEOUT: transient(503, 'The plugin named in the message did not answer in time; see its backend.'),
  PLUGIN_CONTRACT: config(
    500,
    'Mend or update the plugin named in the message: it answered what its port does not allow, as its conformance suite shows.',
    true,
  ),
  PROVIDER_FAILED: transient(503, 'See the cause: the provider could not do what was asked.'),
  STORE_FAILED: transient(503, 'See the cause: the store could not read or write.'),
  EVENT_BUS_FAILED: transient(503, 'See the cause: events reach other processes late until the bus is back.'),
  PLACEMENT_UNREACHABLE: transient(
    503,
    'Start a worker that reaches the engine or machine named in the message.',
  ),
  WAITING_FOR_SLOT: transient(
    503,
    'Nothing has to be done; raise concurrency.starts or concurrency.pulls where the engine can do more at once.',
  ),
  LEASE_LOST: transient(503, 'Another worker owns the instance now; nothing has to be done.'),
  ORPHANS_SUSPECT: config(
    409,
    'Check that the store is the right one; collect({ force: true }) removes what is listed.',
  ),
  NOT_SETTLED: config(
    500,
    'Stop what the message names: it goes on though no time passes, or waits for something outside the test.',
  ),
  INTERNAL: internal('This is a defect of the library: report it with the details and the cause.'),
} as const satisfies Record<string, ErrorCodeEntry>;

/** A code of the table. */
export type ErrorCode = keyof typeof errorCodes;
