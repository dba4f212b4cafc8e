import { mcpError } from '@mcpinfra/core/plugin';

/**
 * Gives the JSON text of plain data, as it is kept in a row. Fields that are `undefined` are left out.
 *
 * @throws `INVALID_ARGUMENT` for what JSON cannot express, such as a secret or a date
 */
export function toJson(value: unknown): string {
  refuseUnplain(value);
  return JSON.stringify(value);
}

function refuseUnplain(value: unknown): void {
  if (typeof value === 'object') {
    if (Array.isArray(value)) value.forEach(refuseUnplain);
    else if (value !== null) refuseUnplainFields(value);
    return;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw notPlain(String(value));
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
    throw notPlain(`a ${typeof value}`);
  }
}

function refuseUnplainFields(value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notPlain(`a ${value.constructor.name}`);
  for (const key in value) refuseUnplain((value as Record<string, unknown>)[key]);
}

function notPlain(what: string): Error {
  return mcpError('INVALID_ARGUMENT', `A store keeps plain data, not ${what}; give what JSON can express.`);
}
