import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Message } from './message.js';
import type { HostileOptions } from './options.js';

/** The way back to the client: all of stdout, or the event stream that answers one POST. */
export interface Port {
  /** Writes one well-formed frame: a message, or an array of them. */
  send(message: Message | readonly Message[]): void;
  /** Writes bytes as they are. */
  raw(bytes: string | Uint8Array): void;
}

export type Receive = (message: Message, port: Port) => void | Promise<void>;

/** Where a server departs from the polite one. What is absent is polite. */
export interface Behaviour {
  /** Runs first; stdin is read, or the port opened, once it has resolved. */
  readonly start?: () => void | Promise<void>;
  /** Runs when stdout can be written to, before the first message. */
  readonly opened?: (port: Port) => void;
  /** Answers a message, or not. An HTTP response ends when the promise resolves. */
  readonly receive?: Receive;
  /** Answers a whole HTTP request in the place of MCP. */
  readonly request?: (req: IncomingMessage, res: ServerResponse) => void;
  /** Whether the process goes on when stdin ends. */
  readonly outlivesStdin?: boolean;
}

export interface BehaviourEntry {
  /** What can carry it. */
  readonly transports: readonly ('stdio' | 'http')[];
  /** Makes the behaviour for one process. */
  create(options: HostileOptions): Behaviour;
}
