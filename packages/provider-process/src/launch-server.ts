import {
  defaults,
  type Endpoint,
  mcpError,
  resolveTransport,
  revealText,
  type Secret,
  throwIfAborted,
} from '@mcpinfra/core/plugin';
import type { ProcessSpec } from './process-spec.js';
import { marksToEnvironment, type CopyMarks } from './copy-marks.js';
import { findFreePort, isPortTaken } from './free-port.js';
import { hostEnvironment } from './host-environment.js';
import { spawnServer, type SpawnedServer } from './spawn-server.js';

/** What is to be launched. */
export interface LaunchRequest {
  readonly spec: ProcessSpec;
  readonly environment: Readonly<Record<string, string | Secret>>;
  readonly marks: CopyMarks;
  /** The names of the variables of the host that it inherits. */
  readonly inherited: readonly string[];
  /** The ports of running servers, some of which do not listen yet; the one of this server is added. */
  readonly ports: Set<number>;
  readonly signal: AbortSignal;
}

/** A server that has been launched. */
export interface LaunchedServer {
  readonly child: SpawnedServer;
  /** The port of a server over HTTP, kept among the ports until its run has ended. */
  readonly port: number | undefined;
  readonly endpoint: Endpoint;
}

/** Gives a server its port and its environment, and starts it. @throws why it cannot run; nothing is left then */
export async function launchServer(request: LaunchRequest): Promise<LaunchedServer> {
  const { spec, ports, signal } = request;
  const port = resolveTransport(spec) === 'stdio' ? undefined : await choosePort(request);
  if (port !== undefined) ports.add(port);
  try {
    throwIfAborted(signal);
    const environment = environmentOf(request, port);
    const child = await spawnServer({ command: spec.command, cwd: spec.cwd, environment });
    return { child, port, endpoint: endpointOf(spec, port) };
  } catch (error) {
    if (port !== undefined) ports.delete(port);
    throw error;
  }
}

async function choosePort({ spec: { port }, ports, marks }: LaunchRequest): Promise<number> {
  // Chosen anew for every run: a port lost to somebody else is mended by the restart.
  if (typeof port !== 'number') return findFreePort(ports);
  if (!(await isPortTaken(port))) return port;
  throw mcpError(
    'PORT_IN_USE',
    `Expected port ${port} of 127.0.0.1 to be free for ${marks.copy.slug}, but somebody listens on it; ` +
      'end that process, choose another port, or use port: auto.',
    { details: { port } },
  );
}

function environmentOf(request: LaunchRequest, port: number | undefined): Record<string, string> {
  const given = Object.entries(request.environment).map(([name, value]) => [name, revealText(value)]);
  return {
    ...hostEnvironment(request.inherited),
    ...(Object.fromEntries(given) as Record<string, string>),
    ...(port === undefined ? {} : { PORT: String(port), MCP_CONTAINER_PORT: String(port) }),
    ...marksToEnvironment(request.marks),
  };
}

function endpointOf(spec: ProcessSpec, port: number | undefined): Endpoint {
  if (port === undefined) return { transport: 'stdio' };
  const transport = resolveTransport(spec) === 'sse' ? 'sse' : 'streamable-http';
  return { transport, url: `http://127.0.0.1:${port}${spec.path ?? defaults.mcpPath}` };
}
