import type { Timestamp } from '@mcpinfra/core/plugin';

/** A message of the platform, whatever envelope it came in. */
export interface AgentAreaMessage {
  /** The platform's own, a UUID or `evt_…`. */
  readonly eventId: string;
  /** The name of the event, which is also that of its channel. */
  readonly type: string;
  /** When it happened, with milliseconds. */
  readonly at: Timestamp;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Why bytes are no message. */
export type AgentAreaRefusalReason =
  /** Longer than any message is. */
  | 'too-large'
  /** Not UTF-8, or not JSON, outside or in the string that `data` may be. */
  | 'not-json'
  /** A binary frame of another version, or one that was cut off. */
  | 'bad-frame'
  /** JSON, but in none of the known envelopes. */
  | 'not-an-envelope'
  /** An envelope that lacks a field, or has one of the wrong type. */
  | 'bad-field';

/** What is said of bytes that are no message. */
export interface AgentAreaRefusal {
  readonly reason: AgentAreaRefusalReason;
  /** What was expected and what came; never a part of the data. */
  readonly message: string;
}

/** A message, or why there is none. */
export type AgentAreaDecoded =
  | { readonly ok: true; readonly message: AgentAreaMessage }
  | { readonly ok: false; readonly refusal: AgentAreaRefusal };

/** The statuses that the platform knows. */
export type AgentAreaStatus = 'validating' | 'starting' | 'running' | 'failed' | 'stopped';

/** What every event that the platform reads says. */
export interface AgentAreaNews {
  /** A UUID; the platform's own readers take no other. */
  readonly eventId: string;
  readonly at: Timestamp;
  readonly instanceId: string;
  readonly name: string;
}

/** An `MCPServerInstanceStatusChanged` event. */
export interface AgentAreaStatusChange extends AgentAreaNews {
  readonly status: AgentAreaStatus;
  /** Left out of the message where it is empty, as are `url` and `error`. */
  readonly containerId?: string | undefined;
  readonly url?: string | undefined;
  /** Why it failed. */
  readonly error?: string | undefined;
}

/** An `MCPServerInstanceError` event. */
export interface AgentAreaFailure extends AgentAreaNews {
  readonly error: string;
}
