import type { LogFields, Logger } from '../ports/logger.js';

/** Wraps a logger so that nothing it throws, now or later, reaches the caller; without one, lines go nowhere. */
export function safeLogger(logger: Logger | undefined): Logger {
  const write =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void => {
      try {
        const written: unknown = logger?.[level](message, fields);
        // A method declared `async` fails by a promise that nobody awaits.
        if (written instanceof Promise) written.catch(() => undefined);
      } catch {
        // A line that cannot be written is lost: there is no place left to say so.
      }
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
