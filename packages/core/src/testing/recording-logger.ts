import type { LogFields, Logger } from '../plugin.js';

/** A line that was logged. */
export interface RecordedLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

/** Makes a logger that keeps its lines for a test to read, oldest first. */
export function recordingLogger(): Logger & { readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const record =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields });
    };
  return {
    lines,
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
}
