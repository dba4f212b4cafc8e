import type { PriorDiscovery, Transport } from '@modelcontextprotocol/client';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { JSONObject, Response } from './json-rpc.js';
import { type ServerHello, quote } from './server-hello.js';

/** One open way to a server, by whatever transport. */
export interface ServerConnection {
  /** Whether it is of no use any more, so that the server has to be dialled anew. */
  readonly broken: boolean;
  /**
   * Looks whether the server speaks MCP: greets it the first time and pings it later.
   *
   * @returns the same object as before unless the server was greeted anew
   * @throws `UNAUTHORIZED`, `PROTOCOL_ERROR`, `ERA_MISMATCH`, `HTTP_STATUS` and the codes of a lost connection
   */
  hello(signal: AbortSignal): Promise<ServerHello>;
  /** Asks the greeted server something for ourselves. */
  request(method: string, params: JSONObject, signal: AbortSignal): Promise<JSONObject>;
  /** Gives a transport for a client of its own; closing it ends the session and nothing else. */
  openSession(signal: AbortSignal): Promise<OpenSession>;
  /** Forgets an era that was found out and stopped working; false when there is none to forget. */
  forgetEra(): boolean;
  /** Ends what was opened for ourselves. Never rejects. */
  close(): Promise<void>;
}

/** A way for one client, and what it need not find out again. */
export interface OpenSession {
  readonly transport: Transport;
  readonly prior: PriorDiscovery;
}

/** Takes the result off an answer, or throws the error the server answered. */
export function resultOf(response: Response, method: string): JSONObject {
  const { result, error } = response;
  if (result !== undefined) return result;
  throw mcpError(
    'PROTOCOL_ERROR',
    `The server answered ${method} with error ${String(error?.code)}: ${quote(error?.message)}.`,
    { details: { method, rpcCode: error?.code } },
  );
}
