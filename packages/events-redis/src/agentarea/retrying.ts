import { type LogFields, type Logger, messageOf, retry, systemClock } from '@mcpinfra/core/plugin';

const firstDelayMs = 200;
const longestDelayMs = 30_000;

/** Does work until it succeeds, with a delay that grows after each failure. @throws when the signal is aborted */
export function retrying<T>(
  work: () => Promise<T>,
  options: {
    readonly signal: AbortSignal;
    readonly logger: Logger;
    /** What could not be done, for the log. */
    readonly what: string;
    readonly fields?: LogFields | undefined;
    /** Told of each failure. */
    readonly failed?: ((error: unknown) => void) | undefined;
  },
): Promise<T> {
  const { signal, logger, what, fields, failed } = options;
  const delayMs = (failures: number, error: unknown): number => {
    if (!signal.aborted) {
      logger.warn(`${what} and is tried again`, { ...fields, error: messageOf(error) });
      failed?.(error);
    }
    return Math.min(firstDelayMs * 2 ** Math.min(failures - 1, 10), longestDelayMs);
  };
  return retry(work, { clock: systemClock, signal, delayMs });
}
