import type { Timestamp } from '@mcpinfra/core/plugin';

const unixSeconds = /^-?\d{1,12}(?:\.\d{1,9})?$/u;
const rfc3339 = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/iu;

/** Reads seconds since the epoch, as text or number, or RFC 3339 with up to nine decimals; `undefined` for all else. */
export function readWireTime(value: unknown): Timestamp | undefined {
  if (typeof value === 'number') return timestampOf(value * 1_000);
  if (typeof value !== 'string') return undefined;
  if (unixSeconds.test(value)) return timestampOf(Number(value) * 1_000);
  const match = rfc3339.exec(value);
  if (!match) return undefined;
  // Date.parse promises no more than three decimals.
  const fraction = match[1] ?? '';
  return timestampOf(
    Date.parse(value.replace(' ', 'T').replace(fraction, fraction.slice(0, 4)).toUpperCase()),
  );
}

/** Writes a time as the platform does: seconds since the epoch as the text of a Python float. */
export function writeUnixSeconds(at: Timestamp): string {
  const seconds = Date.parse(at) / 1_000;
  return Number.isInteger(seconds) ? `${String(seconds)}.0` : String(seconds);
}

/** Writes a time with whole seconds. */
export function writeWholeSeconds(at: Timestamp): string {
  return `${at.slice(0, 19)}Z`;
}

function timestampOf(ms: number): Timestamp | undefined {
  const date = new Date(Math.round(ms));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
