import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type Docker from 'dockerode';

/** The engine's event stream, for the deaths of containers. */
export class RawDeaths {
  readonly #docker: Docker;
  readonly #filter: { readonly label: string[] };
  readonly #deaths = new EventTarget();
  readonly #closing = new AbortController();
  #isOpen = false;

  constructor(docker: Docker, filter: { readonly label: string[] }) {
    this.#docker = docker;
    this.#filter = filter;
  }

  /** Begins to listen; a second call does nothing. */
  async open(): Promise<void> {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const filters = JSON.stringify({ ...this.#filter, type: ['container'], event: ['die'] });
    const stream = await this.#docker.getEvents({ filters, abortSignal: this.#closing.signal });
    const lines = createInterface({ input: stream });
    // That it was closed by us.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const { id } = JSON.parse(line) as { id: string };
      this.#deaths.dispatchEvent(new Event(id));
    });
  }

  /** Resolves when a container dies from now on. */
  async of(containerId: string, signal: AbortSignal): Promise<void> {
    await once(this.#deaths, containerId, { signal });
  }

  close(): void {
    this.#closing.abort();
  }
}
