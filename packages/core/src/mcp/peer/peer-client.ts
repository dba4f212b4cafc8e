import { inSeconds } from '../../domain/in-seconds.js';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { type MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { CallOptions } from '../../ports/common.js';
import type { Clock } from '../../ports/clock.js';
import { withDeadline } from '../../async/deadline.js';
import { edge, ignoreError } from '../../async/edge.js';
import { networkCode } from '../network-error.js';
import { keepAlive } from './keep-alive.js';
import { peerProtocol } from './peer-path.js';
import type { PeerTLS } from './peer-tls.js';
import { parseRefusal } from './refusal.js';

/** An owner may have to reach its server before it answers, but a machine that is gone is not waited for longer. */
const openMs = 10_000;

/** A refusal is a sentence; whoever sends more is no peer. */
const maxRefusalBytes = 64 * 1024;

/** How a peer client is made. */
export interface PeerClientOptions {
  readonly tls: PeerTLS['client'];
  readonly clock: Clock;
}

/** Opens connections to peers, and ends them all when it is closed. */
export class PeerClient {
  readonly #options: PeerClientOptions;
  readonly #sockets = new Set<Socket>();
  readonly #opening = new Set<AbortController>();
  #isClosed = false;

  constructor(options: PeerClientOptions) {
    this.#options = options;
  }

  /**
   * Asks a peer for what is at a path; resolves with the connection once the peer agreed.
   *
   * @throws `CONNECTION_REFUSED`, `REQUEST_TIMEOUT`, `PEER_UNAUTHORIZED`, or what the peer refuses it with
   */
  async open(address: string, path: string, { signal }: CallOptions = {}): Promise<Socket> {
    const { clock } = this.#options;
    if (this.#isClosed) throw closed();
    const ending = new AbortController();
    const expired = () =>
      mcpError(
        'REQUEST_TIMEOUT',
        `The process at ${address}, which owns the instance, did not answer within ${inSeconds(openMs)}; check that peer.advertise there can be reached from here.`,
      );
    const signals = [signal, ending.signal];
    this.#opening.add(ending);
    const socket = await withDeadline((ends) => this.#ask(address, path, ends), {
      clock,
      timeoutMs: openMs,
      signals,
      expired,
    }).finally(() => this.#opening.delete(ending));
    this.#sockets.add(socket);
    socket.on('error', ignoreError);
    socket.once(
      'close',
      edge(ignoreError, () => void this.#sockets.delete(socket)),
    );
    socket.setNoDelay(true);
    keepAlive(socket, clock);
    return socket;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const opening of this.#opening) opening.abort(closed());
    for (const socket of this.#sockets) socket.destroySoon();
  }

  #ask(address: string, path: string, signal: AbortSignal): Promise<Socket> {
    const { hostname, port } = new URL(`https://${address}`);
    return new Promise((resolve, reject) => {
      const asking = request({
        ...this.#options.tls,
        host: hostname.replace(/^\[(.*)\]$/u, '$1'),
        port: port === '' ? 443 : port,
        path,
        agent: false,
        signal,
        headers: { Connection: 'Upgrade', Upgrade: peerProtocol },
      });
      const fail = (error: unknown): void => reject(unreachable(address, error));
      const onUpgrade = (_response: IncomingMessage, socket: Socket, head: Buffer): void => {
        if (signal.aborted) socket.destroy();
        // What came along with the answer belongs to what follows it.
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      };
      asking.once('upgrade', edge(fail, onUpgrade));
      asking.once(
        'response',
        edge(fail, async (response: IncomingMessage) => reject(await readRefusal(response))),
      );
      asking.on('error', edge(reject, fail));
      asking.end();
    });
  }
}

function closed(): MCPInfraError {
  return mcpError('CONNECTION_CLOSED', 'The peer link was closed.', { retryable: false });
}

async function readRefusal(response: IncomingMessage): Promise<MCPInfraError> {
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) {
    body += String(chunk);
    if (body.length > maxRefusalBytes) break;
  }
  try {
    return parseRefusal(JSON.parse(body));
  } catch {
    return parseRefusal(null);
  }
}

function unreachable(address: string, error: unknown): MCPInfraError {
  const code = networkCode(error) ?? messageOf(error);
  // It answered, but not by TLS under our key.
  if (/^(EPROTO|ERR_SSL|ERR_TLS|HPE_)/u.test(code)) {
    return mcpError(
      'PEER_UNAUTHORIZED',
      `The process at ${address}, which owns the instance, does not take the key of this one: give both the same peer.key and the same fleet.`,
    );
  }
  return mcpError(
    'CONNECTION_REFUSED',
    `The process at ${address}, which owns the instance, cannot be reached (${code}); check that it runs and that peer.advertise there can be reached from here.`,
    { cause: error },
  );
}
