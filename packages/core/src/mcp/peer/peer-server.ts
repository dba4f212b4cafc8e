import { createServer, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../../domain/errors/normalise-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { PeerHost } from '../../ports/peer-link.js';
import { edge, ignoreError } from '../../async/edge.js';
import { carrySession } from './carry-session.js';
import { keepAlive } from './keep-alive.js';
import { writeLines } from './peer-lines.js';
import { parsePeerPath, peerProtocol } from './peer-path.js';
import type { PeerTLS } from './peer-tls.js';
import { formatRefusal } from './refusal.js';

/** Who does not finish shaking hands or asking in this time is cut off. */
const patienceMs = 10_000;

/** A peer that is well answers a goodbye within a round trip. */
const leaveMs = 500;

/** A scanner with many addresses must not fill the memory, nor the log. */
const mostStrangers = 100;

/** How a peer server is made. */
export interface PeerServerOptions {
  readonly tls: PeerTLS['server'];
  readonly host: PeerHost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxBytes: number;
}

/** Serves the peers of this process what it owns. */
export class PeerServer {
  readonly #options: PeerServerOptions;
  readonly #server: Server;
  /** The connections, and what ends each politely. */
  readonly #sockets = new Map<Socket, () => void>();
  readonly #strangers = new Set<string>();

  constructor(options: PeerServerOptions) {
    this.#options = options;
    this.#server = createServer(
      { ...options.tls, handshakeTimeout: patienceMs, headersTimeout: patienceMs },
      (_request, response) => {
        response.writeHead(426, { Upgrade: peerProtocol, Connection: 'close' }).end();
      },
    );
    const note = (error: unknown): void => {
      options.logger.debug('the peer link met an error', { error: messageOf(error) });
    };
    const onUpgrade = (request: IncomingMessage): Promise<void> => this.#welcome(request, request.socket);
    const onStranger = (error: Error, { remoteAddress = 'an unknown address' }: Socket): void => {
      this.#refuseStranger(remoteAddress, error);
    };
    this.#server.on('error', edge(ignoreError, note));
    this.#server.on('upgrade', edge(note, onUpgrade));
    this.#server.on('tlsClientError', edge(note, onStranger));
  }

  /** Resolves with the port. @throws `INVALID_OPTIONS` when the address is not free or not of this machine */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error): void => {
        const at = `${host}:${port}`;
        const message = `peer.listen cannot be had: ${at} (${messageOf(error)}); choose a free port of this machine.`;
        reject(mcpError('INVALID_OPTIONS', message, { cause: error }));
      };
      this.#server.once('error', edge(reject, refuse));
      this.#server.listen({ host, port }, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Listens no more, takes leave of every peer, and cuts off those that stay. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    for (const leave of this.#sockets.values()) leave();
    const cutOff = (): void => {
      for (const socket of this.#sockets.keys()) socket.destroy();
    };
    const cancel = this.#options.clock.schedule(leaveMs, edge(ignoreError, cutOff));
    await closed;
    cancel();
  }

  async #welcome(request: IncomingMessage, socket: Socket): Promise<void> {
    const { host, clock, maxBytes } = this.#options;
    const gone = new AbortController();
    const { signal } = gone;
    this.#sockets.set(socket, () => socket.destroySoon());
    const onGone = (): void => {
      this.#sockets.delete(socket);
      gone.abort(mcpError('ABORTED', 'The peer has left.'));
    };
    socket.on('error', ignoreError);
    socket.once('close', edge(ignoreError, onGone));
    try {
      if (request.headers.upgrade !== peerProtocol) {
        const message = `Expected the protocol ${peerProtocol}: run the same version in every process of the fleet.`;
        throw mcpError('PROTOCOL_ERROR', message);
      }
      const asked = parsePeerPath(request.url ?? '');
      if (asked.what === 'stdio') {
        const session = await host.openSession(asked.copy, { signal });
        accept(socket, clock);
        this.#sockets.set(socket, carrySession(session, socket, maxBytes));
      } else {
        const lines = await host.logs(asked.logs, { signal });
        accept(socket, clock);
        await writeLines(lines, socket);
      }
    } catch (error) {
      refuse(socket, error);
    }
  }

  #refuseStranger(address: string, error: Error): void {
    if (this.#strangers.has(address) || this.#strangers.size >= mostStrangers) return;
    this.#strangers.add(address);
    this.#options.logger.warn(
      'refused a connection to the peer link: the other side does not know the key of this fleet (logged once)',
      { address, code: 'code' in error ? error.code : undefined },
    );
  }
}

function accept(socket: Socket, clock: Clock): void {
  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${peerProtocol}\r\n\r\n`);
  keepAlive(socket, clock);
}

function refuse(socket: Socket, error: unknown): void {
  const failure = normaliseError(error, 'INTERNAL', 'The owner of the instance failed');
  const body = JSON.stringify(formatRefusal(failure));
  const status = failure.code === 'NOT_OWNER' ? '421 Misdirected Request' : '503 Service Unavailable';
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`);
}
