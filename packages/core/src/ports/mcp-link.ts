import type { Client, Transport } from '@modelcontextprotocol/client';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import type { HandshakeRecord } from '../domain/instance/instance-record.js';
import type { HealthCheckSpec, ProtocolEraChoice } from '../domain/json-spec/json-spec.js';
import type { CallOptions } from './common.js';
import type { Dialed } from './provider.js';

/**
 * The protocol side of one running copy: probes it, opens client sessions on it and calls its tools.
 *
 * One link owns all connections to its copy. For stdio it is the only reader and writer of the streams and shares one
 * process among all sessions. Internal: implemented in `mcp/`, used by `services/`.
 */
export interface MCPLink {
  /** Looks whether the server answers, by the health check of its spec. Never rejects but for an abort. */
  probe(request: ProbeRequest, options?: CallOptions): Promise<ProbeReport>;
  /**
   * Opens a client session of its own. Closing the client closes the session and nothing else; nothing of the client
   * is set or watched, it is the caller's.
   *
   * @throws `CONNECTION_REFUSED`, `UNAUTHORIZED`, `PROTOCOL_ERROR`, `REQUEST_TIMEOUT`
   */
  connect(options?: ConnectOptions): Promise<Client>;
  /**
   * Opens a session of raw messages, for who carries them on, such as a peer. Closing the transport closes the session
   * and nothing else; who sets its `onclose` calls the one that was there.
   *
   * @throws as `connect`
   */
  openSession(options?: CallOptions): Promise<Transport>;
  /**
   * Calls a tool on a pooled session.
   *
   * @throws `OUTCOME_UNKNOWN` when the server went away during the call, otherwise as `connect`; `unsent: true` in the
   * details says that the server was gone before it got the call
   */
  callTool(call: ToolCall, options?: ToolCallOptions): Promise<ToolCallResult>;
  /** Calls in flight over all sessions of this process. */
  readonly callsInFlight: number;
  /** When the last byte came from the server, on the clock's monotonic scale. */
  readonly lastByteMs: number;
  /** Whether the server has said that its tools changed since a probe began to list them. */
  readonly toolsStale: boolean;
  /** Calls back when the server says that its tools changed. */
  onToolsChanged(listener: () => void): void;
  /** Resolves when no call is in flight. */
  drained(options?: CallOptions): Promise<void>;
  /** Resolves when no session that was given away is open, or being opened, and no call is in flight. */
  vacated(options?: CallOptions): Promise<void>;
  /** Ends every session; calls in flight fail with `OUTCOME_UNKNOWN`. Idempotent. */
  close(): Promise<void>;
}

/** How a client session is opened. */
export interface ConnectOptions extends CallOptions {
  /** Told once when the session ends, however it does. */
  readonly onEnded?: (() => void) | undefined;
}

/** How a tool is called. */
export interface ToolCallOptions extends CallOptions {
  /** How long it may take, in milliseconds. @defaultValue the `callTimeoutMs` of the link */
  readonly timeoutMs?: number | undefined;
  readonly onProgress?: ((progress: CallProgress) => void) | undefined;
}

/** How far a server says that it is with a call (MCP `notifications/progress`). */
export interface CallProgress {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

/** Makes links. */
export interface MCPLinks {
  open(target: LinkTarget): MCPLink;
}

/** What a link is for. */
export interface LinkTarget {
  readonly instanceId: string;
  readonly revision: number;
  /** The way to the server; called when the link first needs it, and again after the connection broke. */
  dial(options?: CallOptions): Promise<Dialed>;
  readonly protocolEra: ProtocolEraChoice;
  /** How long a tool call may take, in milliseconds. */
  readonly callTimeoutMs: number;
  /** What an earlier handshake told, so that the era need not be found out again. */
  readonly known: HandshakeRecord | null;
}

/** How a server is probed. */
export interface ProbeRequest {
  readonly check: HealthCheckSpec;
  readonly timeoutMs: number;
  /** Whether to list the tools, as after a start and when they changed. */
  readonly listTools: boolean;
  /** Lets the server be asked when there is room for it; the way to the server is found before. @defaultValue at once */
  readonly turn?: (<T>(ask: () => Promise<T>) => Promise<T>) | undefined;
}

/** What a probe found. */
export type ProbeReport =
  | {
      readonly ok: true;
      readonly latencyMs: number;
      /** The server answers but refuses our credentials (401, 403): alive. */
      readonly unauthorized: boolean;
      /** Set when a handshake was made or the tools were listed. */
      readonly handshake: HandshakeRecord | null;
    }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      /**
       * The server was not asked, since what leads to it did not answer: its engine, or the backend of its secrets. It
       * says nothing of the server.
       */
      readonly unreachable: boolean;
    };

/** A call of one tool. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** The answer of a tool (MCP `CallToolResult`). */
export interface ToolCallResult {
  readonly content: readonly Readonly<Record<string, unknown>>[];
  readonly structuredContent?: Readonly<Record<string, unknown>> | undefined;
  readonly isError?: boolean | undefined;
  readonly [extra: string]: unknown;
}
