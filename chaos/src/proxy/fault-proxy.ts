import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Gate, Valve } from './valve.js';

/** Where something listens: a port of the loopback address, or the path of a socket. */
export type Address = { readonly port: number } | { readonly path: string };

/**
 * What a proxy does with its connections:
 * - `open`: it passes everything on.
 * - `frozen`: it accepts and never answers; no byte moves either way, and all go on when it is open again.
 * - `refusing`: it is not there; the connections it had are closed.
 * - `resetting`: it resets every connection, old and new.
 */
export type ProxyMode = 'open' | 'frozen' | 'refusing' | 'resetting';

/** Options of {@link FaultProxy.start}. */
export interface FaultProxyOptions {
  readonly backend: Address;
  /** @defaultValue a free port */
  readonly at?: Address;
  /** Whether a chunk asks for an answer that goes on for ever: `silence()` holds those back. @defaultValue none does */
  readonly asksForStream?: (request: Buffer) => boolean;
}

/** Two sockets that belong together. */
interface Way {
  readonly client: Socket;
  readonly backend: Socket | undefined;
}

/** Stands between a client and a backend, and breaks what is between them in ways that no kill does. */
export class FaultProxy {
  readonly address: Address;
  readonly #backend: Address;
  readonly #asksForStream: (request: Buffer) => boolean;
  readonly #gate = new Gate();
  readonly #streamGate = new Gate();
  readonly #ways = new Set<Way>();
  #server: Server | undefined;
  #mode: ProxyMode = 'open';

  static async start({ backend, at, asksForStream }: FaultProxyOptions): Promise<FaultProxy> {
    for (;;) {
      const proxy = new FaultProxy(at ?? { port: somePort() }, backend, asksForStream ?? (() => false));
      try {
        await proxy.#listen();
        return proxy;
      } catch (error) {
        if (at !== undefined || !isTaken(error)) throw error;
      }
    }
  }

  private constructor(address: Address, backend: Address, asksForStream: (request: Buffer) => boolean) {
    this.address = address;
    this.#backend = backend;
    this.#asksForStream = asksForStream;
  }

  /** Resolves when it has become so. */
  async become(mode: ProxyMode): Promise<void> {
    this.#mode = mode;
    if (mode === 'refusing') {
      this.#server?.close();
      this.#server = undefined;
    } else if (!this.#server) {
      await this.#listen();
    }
    if (mode === 'refusing' || mode === 'resetting') this.#cut();
    if (mode === 'frozen') this.#gate.shut();
    else this.#gate.open();
  }

  /** Holds back what streams bring, also those that are asked for meanwhile; all else works. */
  silence(): void {
    this.#streamGate.shut();
  }

  endSilence(): void {
    this.#streamGate.open();
  }

  async close(): Promise<void> {
    await this.become('refusing');
    this.endSilence();
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
      void this.#accept(client);
    });
    server.listen('port' in this.address ? { ...this.address, host: '127.0.0.1' } : this.address);
    await once(server, 'listening');
    this.#server = server;
  }

  async #accept(client: Socket): Promise<void> {
    // `close` follows, and tells enough.
    client.on('error', () => undefined);
    const waiting = this.#keep({ client, backend: undefined });
    await this.#gate.passing();
    this.#ways.delete(waiting);
    if (this.#mode === 'resetting') this.#reset(client);
    if (client.destroyed) return;
    const backend = connect({ ...this.#backend, allowHalfOpen: true });
    backend.on('error', () => undefined);
    this.#join(this.#keep({ client, backend }), backend);
  }

  #join(way: Way, backend: Socket): void {
    const { client } = way;
    let isStream = false;
    let answered = false;
    const request = new Valve((chunk) => {
      if (chunk && this.#asksForStream(chunk)) {
        isStream = true;
        // Connections are used again: what was answered before was another request.
        answered = false;
      }
      return this.#gate.passing();
    });
    const answer = new Valve(() => {
      // The head of the answer tells that the stream has begun.
      const held = isStream && answered ? this.#streamGate.passing() : undefined;
      answered = true;
      return held ? held.then(() => this.#gate.passing()) : this.#gate.passing();
    });
    const directions = [
      [client, request, backend],
      [backend, answer, client],
    ] as const;
    for (const [from, valve, to] of directions) {
      from.pipe(valve).pipe(to);
      from.on('close', () => {
        this.#ways.delete(way);
        // What it said before its end still arrives.
        if (valve.readableEnded) to.destroySoon();
        else valve.once('end', () => to.destroySoon()).end();
      });
    }
  }

  #keep(way: Way): Way {
    this.#ways.add(way);
    return way;
  }

  #cut(): void {
    for (const { client, backend } of this.#ways) {
      if (this.#mode === 'resetting') this.#reset(client);
      client.destroy();
      backend?.destroy();
    }
    this.#ways.clear();
  }

  #reset(socket: Socket): void {
    // Only TCP can.
    if ('port' in this.address) socket.resetAndDestroy();
    else socket.destroy();
  }
}

/** A port that no client's end of a connection gets: one that refuses for a while must be free when it comes back. */
function somePort(): number {
  return 12_000 + Math.floor(Math.random() * 20_000);
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
