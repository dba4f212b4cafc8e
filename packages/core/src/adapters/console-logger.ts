import type { LogFields, Logger } from '../plugin.js';
import { printable, printableFields } from './console-logger/printable.js';
import { type LineStream, TerminalLines } from './console-logger/terminal-lines.js';
import { type Paint, transitionLine } from './console-logger/transition-line.js';

/** Options of {@link consoleLogger}. */
export interface ConsoleLoggerOptions {
  /** The least that is printed. @defaultValue info */
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | undefined;
  /** Where it is printed. @defaultValue `process.stderr`, since stdout may carry a protocol */
  readonly stream?: LineStream | undefined;
  /** Whether to colour. @defaultValue what the stream says of itself */
  readonly colour?: boolean | undefined;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];

const codes = { green: 32, yellow: 33, red: 31, dim: 2 } as const;

/**
 * Makes a logger that prints a readable line for each change of an instance.
 *
 * On a terminal the progress of a pull is redrawn in place, elsewhere it is a line for each 10 %. It never throws.
 */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const { level = 'info', stream = process.stderr } = options;
  const colour = options.colour ?? (stream.isTTY === true && stream.hasColors?.() === true);
  const paint: Paint = (text, name) => (colour ? `\u001b[${codes[name]}m${text}\u001b[0m` : text);
  const lines = new TerminalLines(stream);
  const tenths = new Map<string, number>();

  const progress = (fields: LogFields): void => {
    const instance = printable(fields['instance']);
    const percent = typeof fields['percent'] === 'number' ? Math.floor(fields['percent']) : undefined;
    const line = `${instance}  pulling${percent === undefined ? '' : ` ${percent} %`}`;
    if (lines.canRedraw) {
      lines.show(instance, line);
      return;
    }
    const tenth = Math.floor((percent ?? 0) / 10);
    if (tenths.get(instance) === tenth) return;
    tenths.set(instance, tenth);
    lines.print(line);
  };

  const changed = (fields: LogFields): void => {
    const instance = printable(fields['instance']);
    tenths.delete(instance);
    lines.clear(instance);
    lines.print(transitionLine(fields, Date.now(), paint));
  };

  const other = (at: Level, message: string, fields: LogFields): void => {
    const name = at === 'error' ? paint(at, 'red') : at === 'warn' ? paint(at, 'yellow') : paint(at, 'dim');
    lines.print(`${name}  ${[printable(message), printableFields(fields)].join(' ').trimEnd()}`);
  };

  const log = (at: Level, message: string, fields: LogFields = {}): void => {
    if (levels.indexOf(at) < levels.indexOf(level)) return;
    try {
      if (message === 'instance status changed') changed(fields);
      else if (message === 'image pull progress') progress(fields);
      else other(at, message, fields);
    } catch {
      // A logger must not fail: a line that cannot be printed is lost.
    }
  };

  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
  };
}
