import type { Implementation } from '@modelcontextprotocol/client';
import type { Dispatcher } from 'undici';
import { normaliseError } from '../domain/errors/normalise-error.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { LinkTarget } from '../ports/mcp-link.js';
import type { Dialed } from '../ports/provider.js';
import type { CallCounter } from './call-counter.js';
import { abortError, orAborted } from '../async/abort.js';
import { Once } from '../async/once.js';
import type { EraMemory } from './era-memory.js';
import type { HTTPEndpoint } from './http/http-endpoint.js';
import type { SharedAgent } from './http/shared-agent.js';
import type { Message } from './json-rpc.js';
import type { Era } from './protocol.js';
import type { ServerConnection } from './server-connection.js';

/** Servers over HTTP are asked for their era again after a day: one that has learnt another never says so. */
const verdictMs = 24 * 60 * 60 * 1_000;

/** What all links share. */
export interface LinkContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identity: Implementation;
  readonly agent: SharedAgent;
  readonly eras: EraMemory;
}

/** A dialled server: how it is spoken to, and where it is if it is reached over HTTP. */
export interface DialedServer {
  readonly connection: ServerConnection;
  readonly endpoint: HTTPEndpoint | null;
}

/** How a dialer is made. */
export interface DialerOptions {
  readonly target: LinkTarget;
  readonly context: LinkContext;
  readonly counter: CallCounter;
  /** Ends dialling for good. */
  readonly closing: AbortSignal;
  readonly onBytes: () => void;
  readonly onToolsChanged: () => void;
}

/** Dials a server when it is first needed, once for all who wait, and again after the connection broke. */
export class Dialer {
  readonly #options: DialerOptions;
  readonly #dialing = new Once(() => this.#dial());
  #server: DialedServer | null = null;
  #agent: Promise<Dispatcher> | null = null;
  #era: Era | null;

  constructor(options: DialerOptions) {
    this.#options = options;
    const { target, context } = options;
    this.#era = context.eras.get(target.instanceId) ?? target.known?.era ?? null;
  }

  async get(signal: AbortSignal): Promise<DialedServer> {
    // It ends by itself, and until then may still answer what it was sent.
    if (this.#server?.connection.broken === true) this.#forget();
    if (this.#server !== null) return this.#server;
    return orAborted(this.#dialing.get(), signal);
  }

  /** Lets go of a server that is of no use any more; the next `get` dials anew. */
  lose(server: DialedServer): void {
    if (this.#server !== server) return;
    this.#forget();
    void server.connection.close();
  }

  async close(): Promise<void> {
    await this.#server?.connection.close();
    if (this.#agent !== null) await this.#options.context.agent.release();
  }

  #forget(): void {
    this.#server = null;
    this.#dialing.forget();
  }

  async #dial(): Promise<DialedServer> {
    const { target, closing } = this.#options;
    let dialed: Dialed;
    try {
      dialed = await target.dial({ signal: closing });
    } catch (error) {
      throw normaliseError(error, 'PROVIDER_FAILED', 'Dialling the server failed');
    }
    const server = await (dialed.kind === 'stdio' ? this.#overStdio(dialed) : this.#overHTTP(dialed));
    if (closing.aborted) {
      await server.connection.close();
      throw abortError(closing);
    }
    this.#server = server;
    return server;
  }

  async #overStdio({ channel }: Extract<Dialed, { kind: 'stdio' }>): Promise<DialedServer> {
    const { StdioConnection, StdioMultiplexer } = await import('./stdio/over-stdio.js');
    const { context, target, counter, onBytes, onToolsChanged } = this.#options;
    const multiplexer = new StdioMultiplexer({
      ...context,
      channel,
      counter,
      onBytes,
      onToolsChanged,
    });
    const connection = new StdioConnection({
      ...context,
      multiplexer,
      choice: target.protocolEra,
      era: this.#era,
      rememberEra: (era) => {
        this.#era = era;
        context.eras.set(target.instanceId, era);
      },
    });
    return { connection, endpoint: null };
  }

  async #overHTTP(dialed: Extract<Dialed, { kind: 'http' }>): Promise<DialedServer> {
    const { HTTPEndpoint, openTransport, SSEConnection, StreamableConnection } =
      await import('./http/over-http.js');
    const { context, target, counter, onBytes, onToolsChanged } = this.#options;
    const { known } = target;
    const isOld = known !== null && context.clock.now() - Date.parse(known.at) > verdictMs;
    const agent = (): Promise<Dispatcher> => (this.#agent ??= context.agent.acquire());
    const endpoint = new HTTPEndpoint({ dialed, agent, onBytes });
    const onOther = (message: Message): void => {
      if ('method' in message && message.method === 'notifications/tools/list_changed') onToolsChanged();
    };
    const open = () => openTransport({ ...context, endpoint, counter, onOther });
    const connection =
      dialed.transport === 'sse'
        ? new SSEConnection({ ...context, url: dialed.url, openTransport: open })
        : new StreamableConnection({
            ...context,
            endpoint,
            choice: target.protocolEra,
            era: isOld ? null : this.#era,
            rememberEra: (era) => (this.#era = era),
            onOther,
            openTransport: open,
          });
    return { connection, endpoint };
  }
}
