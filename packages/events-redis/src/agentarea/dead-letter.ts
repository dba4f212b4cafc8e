import { createHash } from 'node:crypto';
import { isObject } from '@mcpinfra/core/plugin';

/** The fields of an entry about a message that could not be used. */
export interface DeadLetter {
  readonly reason: string;
  readonly detail: string;
  /** The channel or stream entry it came from. */
  readonly source: string;
  readonly payload: Uint8Array;
}

/** A dead letter as it is kept. */
export interface DeadLetterFields {
  readonly reason: string;
  readonly detail: string;
  readonly source: string;
  /** The names of its fields, with the values of those that say which message it was. */
  readonly outline: string;
  readonly bytes: string;
  readonly sha256: string;
}

const plainFields = new Set([
  'event_id',
  'event_type',
  'timestamp',
  'instance_id',
  'server_spec_id',
  'name',
  'type',
]);
const deepest = 8;
const longestOutline = 8_192;

/**
 * Writes a dead letter. The payload may hold secrets in clear, so it is kept as an outline, with the values of the
 * fields that say which message it was; and as a hash, by which its sender can tell that it was this one.
 */
export function writeDeadLetter(letter: DeadLetter): DeadLetterFields {
  const { reason, detail, source, payload } = letter;
  return {
    reason,
    detail,
    source,
    outline: outlineOf(payload).slice(0, longestOutline),
    bytes: String(payload.byteLength),
    sha256: createHash('sha256').update(payload).digest('hex'),
  };
}

function outlineOf(payload: Uint8Array): string {
  if (payload.byteLength > 1024 * 1024) return '';
  const value = jsonOf(Buffer.from(payload).toString());
  return value === undefined ? '' : JSON.stringify(outlined(value, '', 0));
}

function outlined(value: unknown, key: string, depth: number): unknown {
  if (depth > deepest) return '…';
  if (key === 'data' && typeof value === 'string') {
    const inner = jsonOf(value);
    return inner === undefined ? '…' : outlined(inner, '', depth + 1);
  }
  // Anything in a document may be a secret, whatever it is called.
  if (key === 'json_spec') return isObject(value) ? Object.keys(value) : '…';
  if (isObject(value)) {
    const members = Object.entries(value).map(
      ([name, inner]) => [name, outlined(inner, name, depth + 1)] as const,
    );
    return Object.fromEntries(members);
  }
  return plainFields.has(key) && typeof value === 'string' ? value.slice(0, 200) : '…';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
