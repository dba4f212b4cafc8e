import type { Transport } from '@modelcontextprotocol/client';
import type { CallOptions } from './common.js';
import type { LogLine, LogQuery, StdioChannel } from './provider.js';

/**
 * The way between the processes of a fleet, to what only one of them owns: standard streams and logs.
 *
 * Both sides prove that they know the fleet's key. Internal: implemented in `mcp/peer/`, used by `services/`.
 */
export interface PeerLink {
  /** Where others reach this process; `undefined` when it does not listen. */
  readonly address: string | undefined;
  /**
   * Opens a session on a copy's standard streams at its owner. The channel ends when the owner stops, loses the copy or
   * is silent for 15 s; closing it ends the session and nothing else.
   *
   * @throws `NOT_OWNER` when the other process does not own it, `PEER_UNAUTHORIZED` for another key, `CONNECTION_REFUSED`,
   * `REQUEST_TIMEOUT`, and whatever the owner met
   */
  openChannel(address: string, copy: PeerCopy, options?: CallOptions): Promise<StdioChannel>;
  /** Reads a copy's logs at its owner; resolves when the owner has begun. @throws as `openChannel` */
  openLogs(address: string, logs: PeerLogs, options?: CallOptions): Promise<AsyncIterable<LogLine>>;
  /** Listens no more and ends every connection, either way. Idempotent. */
  close(): Promise<void>;
}

/** Which copy is asked for. */
export interface PeerCopy {
  readonly instanceId: string;
  readonly revision: number;
}

/** Which log lines are asked for. */
export interface PeerLogs {
  readonly instanceId: string;
  readonly query: LogQuery;
}

/** What a process does for its peers: implemented in `services/`, asked by `mcp/peer/`. */
export interface PeerHost {
  /** @throws `NOT_OWNER`, `INSTANCE_NOT_READY` and the codes of a server that cannot be reached */
  openSession(copy: PeerCopy, options?: CallOptions): Promise<PeerSession>;
  /** @throws `NOT_OWNER`, `INSTANCE_NOT_READY`, `CAPABILITY_UNSUPPORTED` */
  logs(logs: PeerLogs, options?: CallOptions): Promise<AsyncIterable<LogLine>>;
}

/** A session of raw messages for a peer. */
export interface PeerSession {
  readonly transport: Transport;
  /** Replaces secret values in a text that leaves the process. */
  scrub(text: string): string;
}
