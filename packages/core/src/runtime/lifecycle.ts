import { mcpError } from '../domain/errors/mcpinfra-error.js';

/**
 * The rules of starting and stopping: concurrent callers share one run, a stop waits for the start under way, a failed
 * stop can be tried again, and what was stopped does not start again.
 */
export class Lifecycle {
  readonly #work: { readonly start: () => Promise<void>; readonly stop: () => Promise<void> };
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #running = false;

  constructor(work: { readonly start: () => Promise<void>; readonly stop: () => Promise<void> }) {
    this.#work = work;
  }

  get isRunning(): boolean {
    return this.#running && !this.#stopping;
  }

  start(): Promise<void> {
    if (this.#stopping)
      return Promise.reject(mcpError('ALREADY_STOPPED', 'This infra was stopped; it does not start again.'));
    this.#starting ??= this.#work.start().then(() => {
      this.#running = true;
    });
    return this.#starting;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().catch((error: unknown) => {
      this.#stopping = undefined;
      throw error;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (!this.#starting) return;
    // A start that failed has closed what it had opened.
    const started = await this.#starting.then(
      () => true,
      () => false,
    );
    if (started) await this.#work.stop();
    this.#running = false;
  }
}
