import { Once } from '../async/once.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';

/** What a {@link Lifecycle} starts and stops. */
export interface LifecycleWork<TStop, TReport> {
  readonly start: () => Promise<void>;
  /** Ends a start under way, so that it rejects soon. */
  readonly cancel: () => void;
  readonly stop: (how: TStop) => Promise<TReport>;
}

/**
 * The rules of starting and stopping: concurrent callers share one run, a start that failed can be tried again, a stop
 * ends the start under way, and what was stopped does not start again.
 */
export class Lifecycle<TStop, TReport> {
  readonly #work: LifecycleWork<TStop, TReport>;
  readonly #starting: Once<void>;
  #stopping: Promise<TReport> | undefined;
  #touched = false;
  #running = false;

  constructor(work: LifecycleWork<TStop, TReport>) {
    this.#work = work;
    this.#starting = new Once(async () => {
      this.#touched = true;
      await work.start();
      this.#running = true;
    });
  }

  get isRunning(): boolean {
    return this.#running && !this.#stopping;
  }

  start(): Promise<void> {
    if (this.#stopping)
      return Promise.reject(mcpError('ALREADY_STOPPED', 'This infra was stopped; it does not start again.'));
    return this.#starting.get();
  }

  /** @param never - what is reported of what was never started */
  stop(how: TStop, never: TReport): Promise<TReport> {
    this.#stopping ??= this.#stop(how, never);
    return this.#stopping;
  }

  async #stop(how: TStop, never: TReport): Promise<TReport> {
    const starting = this.#starting.begun ? this.#starting.get() : undefined;
    this.#work.cancel();
    await starting?.catch(() => undefined);
    return this.#touched ? this.#work.stop(how) : never;
  }
}
