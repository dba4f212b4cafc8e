import type { Client } from '@modelcontextprotocol/client';
import { orAborted } from '../async/abort.js';

/** Keeps one client for all who have no need of their own, opened when it is first needed. */
export class ClientPool {
  readonly #open: () => Promise<Client>;
  #opening: Promise<Client> | null = null;
  #client: Client | null = null;

  constructor(open: () => Promise<Client>) {
    this.#open = open;
  }

  /** The client, opened once for all who wait for it. */
  async get(signal: AbortSignal): Promise<Client> {
    this.#opening ??= this.#open().then(
      (client) => {
        this.#client = client;
        client.onclose = () => this.forget(client);
        return client;
      },
      (error: unknown) => {
        this.#opening = null;
        throw error;
      },
    );
    return orAborted(this.#opening, signal);
  }

  /** Takes a client out that is of no use any more and ends it; the next `get` opens another. */
  drop(client: Client): void {
    this.forget(client);
    client.close().catch(() => undefined);
  }

  /** Takes a client out that ends by itself. */
  forget(client: Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#opening = null;
  }
}
