import { mcpError } from '@mcpinfra/core/plugin';

/**
 * Gives the JSON text of plain data, as it is kept in a row. Fields that are `undefined` are left out.
 *
 * @throws `INVALID_ARGUMENT` for what JSON cannot express, such as a secret or a date
 */
export function toJson(value: unknown): string {
  return JSON.stringify(plainCopy(value));
}

/**
 * Copies plain data as JSON would give it back; to write it down and parse it again takes three times as long.
 *
 * @throws `INVALID_ARGUMENT` as {@link toJson}
 */
export function plainCopy<T>(value: T): T {
  return copyOf(value) as T;
}

function copyOf(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'object') return Array.isArray(value) ? copyOfItems(value) : copyOfFields(value);
  if (value === undefined) return value;
  if (typeof value !== 'number') throw notPlain(`a ${typeof value}`);
  if (!Number.isFinite(value)) throw notPlain(String(value));
  // JSON knows one zero.
  return value === 0 ? 0 : value;
}

function copyOfItems(value: readonly unknown[]): unknown[] {
  const copy: unknown[] = [];
  for (const item of value) copy.push(copyOf(item) ?? null);
  return copy;
}

function copyOfFields(value: object): object {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notPlain(`a ${value.constructor.name}`);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const field = copyOf((value as Record<string, unknown>)[key]);
    if (field === undefined) continue;
    // An assignment would change the prototype instead.
    if (key === '__proto__') Object.defineProperty(copy, key, { ...asAssigned, value: field });
    else copy[key] = field;
  }
  return copy;
}

const asAssigned = { enumerable: true, configurable: true, writable: true };

function notPlain(what: string): Error {
  return mcpError('INVALID_ARGUMENT', `A store keeps plain data, not ${what}; give what JSON can express.`);
}
