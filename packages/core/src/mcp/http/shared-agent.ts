import type { Agent } from 'undici';

/**
 * A keep-alive agent for all links whose provider has no dispatcher of its own; there only while somebody uses it.
 */
export class SharedAgent {
  #users = 0;
  #agent: Promise<Agent> | null = null;

  async acquire(): Promise<Agent> {
    this.#users += 1;
    this.#agent ??= import('undici').then(
      ({ Agent }) =>
        // No time limits of its own: streams may be silent for long, and every request here has its deadline.
        new Agent({ keepAliveTimeout: 35_000, headersTimeout: 0, bodyTimeout: 0 }),
    );
    return this.#agent;
  }

  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    const agent = this.#agent;
    this.#agent = null;
    await (await agent)?.destroy();
  }
}
