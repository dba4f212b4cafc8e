import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { edge } from '../../async/edge.js';
import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import { errorResponse, type Message, type RequestId, rpcErrors } from '../json-rpc.js';
import type { CallOwner } from './call-table.js';

/** What a session needs of the multiplexer it belongs to. */
export interface SessionHost {
  /** @throws `CONNECTION_CLOSED` */
  take(session: MuxSession, message: Message): Promise<void>;
  leave(session: MuxSession): void;
}

/** One client's share of a multiplexed server, as a transport of the MCP client. */
export class MuxSession implements Transport, CallOwner {
  // The client takes a transport for stdio by these two members; anything else it probes as HTTP.
  readonly stderr = null;
  readonly pid = null;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;
  readonly #host: SessionHost;
  #closed = false;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  async start(): Promise<void> {
    // The channel is open already.
  }

  async send(message: JSONRPCMessage): Promise<void> {
    await this.#host.take(this, message as unknown as Message);
  }

  /** Ends the session, not the server: its calls in flight are cancelled. */
  async close(): Promise<void> {
    this.#host.leave(this);
    this.end();
  }

  /** Hands a message of the server to the client; a client that throws harms nobody else. */
  deliver(message: Message): void {
    if (!this.#closed) this.#tell(() => this.onmessage?.(message as unknown as JSONRPCMessage));
  }

  /** Tells the client that no answer comes; `data.code` lets it be told from an answer of the server. */
  fail(ownId: RequestId, error: MCPInfraError): void {
    const { code, message } = error;
    this.deliver(errorResponse(ownId, { code: rpcErrors.serverError, message, data: { code } }));
  }

  /** Tells the client that the session is over. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tell(() => this.onclose?.());
  }

  #tell(say: () => void): void {
    edge((error) => this.onerror?.(error instanceof Error ? error : new TypeError(messageOf(error))), say)();
  }
}
