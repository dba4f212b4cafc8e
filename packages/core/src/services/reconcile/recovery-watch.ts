import { withDeadline } from '../../async/deadline.js';
import { isAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Provider } from '../../ports/provider.js';
import type { ReconcileServices } from './reconcile-services.js';

/** How often backends are looked at that seem not to answer, and how long that may take. */
const looks = Object.freeze({ everyMs: 2_000, timeoutMs: 5_000 });

/** A pass that acts for longer, in milliseconds, gives reason to look at its backend, and is made again once that is back. */
export const longActMs = 5_000;

/** A copy that never is: asking for it asks the backend, and costs it nothing. */
const nobody = Object.freeze({ instanceId: 'nobody', slug: 'nobody', revision: 0 });

/** What the watch is told, and whom it tells. */
export interface RecoveryWatchOptions {
  /** Whether a pass acts on a backend for longer than {@link longActMs}. */
  readonly actsLong: (type: string) => boolean;
  /** Told when a backend answers that did not before: what it was asked in the meantime may be lost. */
  readonly recovered: (type: string) => void;
}

/**
 * Looks at backends that do not answer, and says when they do again. One that accepted requests and swallowed them never
 * answers those, so that whoever asked would wait for the whole of a deadline after it is well.
 */
export class RecoveryWatch {
  readonly #services: ReconcileServices;
  readonly #options: RecoveryWatchOptions;
  /** Those that did not answer when they were last looked at. */
  readonly #silent = new Set<string>();
  /** Those of whom it has been told that they answer, though their owner still finds them away. */
  readonly #told = new Set<string>();

  constructor(services: ReconcileServices, options: RecoveryWatchOptions) {
    this.#services = services;
    this.#options = options;
  }

  /** Watches until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { context } = this.#services;
    const watch = async (provider: Provider): Promise<void> => {
      while (!isAborted(signal)) {
        await sleep(context.clock, looks.everyMs, signal);
        if (!isAborted(signal) && this.#isSuspect(provider.type)) await this.#look(provider, signal);
      }
    };
    await Promise.all([...context.providers.values()].map(watch));
  }

  #isSuspect(type: string): boolean {
    const { ownership } = this.#services;
    const at = ownership.placement(type);
    if (at === null || at === '*') return false;
    if (!this.#isAway(type)) this.#told.delete(type);
    return this.#silent.has(type) || this.#isNewlyAway(type) || this.#options.actsLong(type);
  }

  #isAway(type: string): boolean {
    return this.#services.condition.troubles.has(`provider:${type}`);
  }

  #isNewlyAway(type: string): boolean {
    return this.#isAway(type) && !this.#told.has(type);
  }

  async #look(provider: Provider, signal: AbortSignal): Promise<void> {
    const { type } = provider;
    const { condition, context } = this.#services;
    const wasAway = this.#isNewlyAway(type);
    const { timeoutMs } = looks;
    try {
      await withDeadline((ends) => provider.observe(nobody, { signal: ends }), {
        clock: context.clock,
        timeoutMs,
        signals: [signal],
        expired: () =>
          mcpError('PLUGIN_TIMEOUT', `The provider "${type}" did not answer within ${String(timeoutMs)} ms.`),
      });
    } catch {
      if (isAborted(signal)) return;
      this.#silent.add(type);
      condition.evidence(`provider:${type}`);
      return;
    }
    const wasSilent = this.#silent.delete(type);
    if (!wasAway && !wasSilent) return;
    if (this.#isAway(type)) this.#told.add(type);
    // Whoever says how it is looks for itself.
    condition.evidence(`provider:${type}`);
    this.#options.recovered(type);
  }
}
