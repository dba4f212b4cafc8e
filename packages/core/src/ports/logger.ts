/**
 * Where log lines go: a message and fields, as in pino (`pino` itself takes the two the other way round; wrap it).
 *
 * Must not throw; core survives one that does. Never given a secret value.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Facts beside a message; never under a name that loggers keep for a line's own parts, such as `message` or `level`. */
export type LogFields = Readonly<Record<string, unknown>>;
