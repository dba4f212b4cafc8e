import { mcpError } from '../../plugin-essentials.js';

const frozen = new WeakSet();

/**
 * Gives a deeply frozen copy of plain data; what an earlier call froze is shared, not copied again.
 *
 * So a row that was read and spread with one field changed costs that field only, and the caller's own objects are
 * neither kept nor frozen. Fields that are `undefined` are left out, as in JSON.
 *
 * @throws `INVALID_ARGUMENT` for what is not plain data, such as a secret
 */
export function frozenCopy<T>(value: T): T;
export function frozenCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return scalar(value);
  if (frozen.has(value)) return value;
  const copy = Array.isArray(value) ? value.map(frozenCopy) : copyFields(value);
  frozen.add(Object.freeze(copy));
  return copy;
}

function copyFields(value: object): object {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notPlain(value.constructor.name);
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined) continue;
    // Assigning to __proto__ would change the prototype instead of making a field.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: frozenCopy(field), enumerable: true });
    else copy[key] = frozenCopy(field);
  }
  return copy;
}

function scalar(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
    throw notPlain(typeof value);
  return value;
}

function notPlain(what: string): Error {
  return mcpError('INVALID_ARGUMENT', `A store keeps plain data, not a ${what}; give what JSON can express.`);
}
