import type { Client } from '@modelcontextprotocol/client';
import { orAborted } from '../async/abort.js';
import { Once } from '../async/once.js';

/** Keeps one client for all who have no need of their own, opened when it is first needed. */
export class ClientPool {
  readonly #opening: Once<Client>;
  #client: Client | null = null;

  constructor(open: () => Promise<Client>) {
    this.#opening = new Once(async () => {
      const client = await open();
      this.#client = client;
      client.onclose = () => this.forget(client);
      return client;
    });
  }

  /** The client, opened once for all who wait for it. */
  async get(signal: AbortSignal): Promise<Client> {
    return orAborted(this.#opening.get(), signal);
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
    this.#opening.forget();
  }
}
