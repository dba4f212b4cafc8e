import { decodeMessage } from './decode-message.js';
import { encodeFailure, encodeMessage, encodeStatusChange } from './encode-message.js';
import type {
  AgentAreaDecoded,
  AgentAreaFailure,
  AgentAreaMessage,
  AgentAreaStatusChange,
} from './message.js';

/** Reads and writes the messages of AgentArea. */
export interface AgentAreaCodec {
  /** Reads a message in any envelope that is in use. Any bytes give an answer and never an exception. */
  decode(payload: Uint8Array | string): AgentAreaDecoded;
  /** Writes a message as the platform's API does, for its managers: `data` is a string of JSON in JSON. */
  encode(message: AgentAreaMessage): string;
  /** Writes an `MCPServerInstanceStatusChanged` event as the platform's API reads it. */
  encodeStatusChange(change: AgentAreaStatusChange): string;
  /** Writes an `MCPServerInstanceError` event as the platform's API reads it. */
  encodeFailure(failure: AgentAreaFailure): string;
}

/**
 * Reads and writes the messages that AgentArea's API and its managers exchange.
 *
 * @example
 * ```ts
 * const decoded = agentAreaCodec.decode(payload);
 * if (decoded.ok) handle(decoded.message.type, decoded.message.data);
 * else logger.warn(decoded.refusal.message, { reason: decoded.refusal.reason });
 * ```
 */
export const agentAreaCodec: AgentAreaCodec = {
  decode: decodeMessage,
  encode: encodeMessage,
  encodeStatusChange,
  encodeFailure,
};
