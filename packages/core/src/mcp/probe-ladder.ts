import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { HandshakeRecord } from '../domain/instance/instance-record.js';
import type { Clock } from '../ports/clock.js';
import type { ProbeRequest } from '../ports/mcp-link.js';
import type { DialedServer } from './dialer.js';
import type { HTTPEndpoint } from './http/http-endpoint.js';
import { listTools } from './list-tools.js';
import { quote, type ServerHello } from './server-hello.js';

/** What a climb is given. */
export interface Climb {
  readonly server: DialedServer;
  readonly request: ProbeRequest;
  readonly clock: Clock;
  /** The greeting that was reported last, to know when there is a new one. */
  readonly reported: ServerHello | null;
  readonly signal: AbortSignal;
  /** Told of each step, for the message of a deadline. */
  readonly onStep: (step: string) => void;
}

/** What a climb found. */
export interface Climbed {
  readonly hello: ServerHello | null;
  readonly handshake: HandshakeRecord | null;
}

const nothing: Climbed = { hello: null, handshake: null };

/** Goes up the steps of a health check until one fails. */
export async function climbLadder(climb: Climb): Promise<Climbed> {
  const { server, request, signal, onStep } = climb;
  const { path, type = path === undefined ? 'mcp' : 'http' } = request.check;
  onStep(`the ${type} check`);
  switch (type) {
    case 'none':
      return nothing;
    case 'tcp':
    case 'http': {
      const endpoint = overHTTP(server, type);
      const { checkHTTP, checkTCP } = await import('./http/over-http.js');
      await (type === 'tcp' ? checkTCP(endpoint, signal) : checkHTTP(endpoint, path ?? '', signal));
      return nothing;
    }
    case 'mcp':
      return speakMCP(climb);
  }
}

async function speakMCP({ server, request, clock, reported, signal, onStep }: Climb): Promise<Climbed> {
  const { connection } = server;
  const hello = await connection.hello(signal);
  let handshake: HandshakeRecord | null = null;
  if (request.listTools || hello !== reported) {
    onStep('tools/list');
    const { era, protocolVersion, serverName, serverVersion, hasTools } = hello;
    const { tools, note } = hasTools ? await listTools(connection, signal) : { tools: [] };
    handshake = {
      at: new Date(clock.now()).toISOString(),
      era,
      protocolVersion,
      serverName,
      serverVersion,
      tools,
      ...(note !== undefined && { note }),
    };
  }
  const { canary_tool: canary } = request.check;
  if (canary !== undefined) {
    onStep(`the canary tool ${canary}`);
    const { isError, content } = await connection.request(
      'tools/call',
      { name: canary, arguments: {} },
      signal,
    );
    if (isError === true) {
      throw mcpError('UNHEALTHY', `The canary tool ${canary} answered an error: ${quote(content)}.`);
    }
  }
  return { hello, handshake };
}

function overHTTP({ endpoint }: DialedServer, type: string): HTTPEndpoint {
  if (endpoint !== null) return endpoint;
  throw mcpError(
    'INVALID_SPEC',
    `A health check of type ${type} needs a server over HTTP, got stdio; use type mcp.`,
  );
}
