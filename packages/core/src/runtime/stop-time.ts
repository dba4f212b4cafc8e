import { withDeadline } from '../async/deadline.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';

/** A part of a fleet that did not close in time, or failed to. */
export interface UnclosedPart {
  /** `store`, `event-bus`, `provider:docker`, `subscription:…` and the like. */
  readonly part: string;
  /** Why it is not closed. */
  readonly message: string;
}

/** What became of a stop. */
export interface StopReport {
  /** What could not be closed, and why; empty when all is well. What hangs is left to itself. */
  readonly unclosed: readonly UnclosedPart[];
}

/** The time that a stop may take, and what could not be closed in it. */
export class StopTime {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #untilMs: number;
  readonly #unclosed: UnclosedPart[] = [];

  constructor(timeoutMs: number, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
    this.#untilMs = clock.monotonicMs() + timeoutMs;
  }

  get report(): StopReport {
    return { unclosed: this.#unclosed };
  }

  /** How much of the time is left. */
  get leftMs(): number {
    return Math.max(0, this.#untilMs - this.#clock.monotonicMs());
  }

  /** Closes a part in at most so much of the time that is left. Never rejects. */
  async close(
    part: string,
    mostMs: number,
    work: (signal: AbortSignal) => Promise<unknown> | undefined,
  ): Promise<void> {
    const timeoutMs = Math.max(0, Math.min(mostMs, this.leftMs));
    try {
      await withDeadline<unknown>(async (signal) => work(signal), {
        clock: this.#clock,
        timeoutMs,
        expired: () => mcpError('PLUGIN_TIMEOUT', `It did not end within ${Math.round(timeoutMs)} ms.`),
      });
    } catch (error) {
      const message = messageOf(error);
      this.#logger.warn('a part could not be closed', { part, error: message });
      this.#unclosed.push({ part, message });
    }
  }
}
