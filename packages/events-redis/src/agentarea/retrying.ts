import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, type LogFields, type Logger } from '@mcpinfra/core/plugin';

const firstDelayMs = 200;
const longestDelayMs = 30_000;

/** Does work until it succeeds, with a delay that grows after each failure. @throws when the signal is aborted */
export async function retrying<T>(
  work: () => Promise<T>,
  options: {
    readonly signal: AbortSignal;
    readonly logger: Logger;
    /** What could not be done, for the log. */
    readonly what: string;
    readonly fields?: LogFields | undefined;
  },
): Promise<T> {
  const { signal, logger, what, fields } = options;
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      logger.warn(`${what} and is tried again`, { ...fields, error: messageOf(error) });
      const delayMs = Math.min(firstDelayMs * 2 ** Math.min(failures, 10), longestDelayMs);
      await sleep(delayMs, undefined, { signal, ref: false });
    }
  }
}
