import { hear } from '../async/thenable.js';
import type { LogFields, Logger } from '../ports/logger.js';

/** What loggers call the parts of a line themselves (pino, winston, bunyan): a field so named would take their place. */
const kept: ReadonlySet<string> = new Set(['message', 'msg', 'level', 'time', 'timestamp']);

/**
 * Wraps a logger so that nothing it throws, now or later, reaches the caller; without one, lines go nowhere.
 *
 * A field named like a part of the line itself is given as `<name>_`, so that it cannot hide what the line says.
 */
export function safeLogger(logger: Logger | undefined): Logger {
  const write =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void => {
      try {
        // A method declared `async` fails by a promise that nobody awaits.
        hear(logger?.[level](message, fields && besideTheMessage(fields)));
      } catch {
        // A line that cannot be written is lost: there is no place left to say so.
      }
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function besideTheMessage(fields: LogFields): LogFields {
  if (!Object.keys(fields).some((name) => kept.has(name))) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [kept.has(name) ? `${name}_` : name, value]),
  );
}
