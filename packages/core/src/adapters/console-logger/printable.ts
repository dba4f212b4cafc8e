import { inspect } from 'node:util';
import type { LogFields } from '../../plugin.js';

// Also what a server wrote lands here: its control characters must neither break the line nor steer the terminal.
// eslint-disable-next-line no-control-regex -- they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/gu;

/** Shows a value on one line, whatever it is. */
export function printable(value: unknown): string {
  return shown(value).replaceAll(control, ' ').trim();
}

/** Shows fields as `key=value`, with quotes where a value holds spaces. */
export function printableFields(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const text = printable(value);
      return `${printable(key)}=${typeof value === 'string' && /[\s"=]|^$/u.test(text) ? JSON.stringify(text) : text}`;
    })
    .join(' ');
}

/** Shows a span of time in the unit that suits it. */
export function printableSpan(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 9.95) return `${seconds.toFixed(1).replace(/\.0$/u, '')} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function shown(value: unknown): string {
  try {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return value.message;
    return inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY, compact: true });
  } catch {
    return '[unprintable]';
  }
}
