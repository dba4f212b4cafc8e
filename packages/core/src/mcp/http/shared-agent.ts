import type { Agent } from 'undici';
import { Once } from '../../async/once.js';

/**
 * A keep-alive agent for all links whose provider has no dispatcher of its own; there only while somebody uses it.
 */
export class SharedAgent {
  #users = 0;
  readonly #agent = new Once(async () => {
    const { Agent } = await import('undici');
    // No time limits of its own: streams may be silent for long, and every request here has its deadline.
    return new Agent({ keepAliveTimeout: 35_000, headersTimeout: 0, bodyTimeout: 0 });
  });

  async acquire(): Promise<Agent> {
    this.#users += 1;
    return this.#agent.get();
  }

  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0 || !this.#agent.begun) return;
    const agent = this.#agent.get();
    this.#agent.forget();
    await (await agent).destroy();
  }
}
