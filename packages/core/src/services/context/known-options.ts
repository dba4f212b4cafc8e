import { meantOr } from '../../domain/did-you-mean.js';
import { isObject } from '../../domain/is-object.js';
import type { PageQuery } from '../../domain/list-page.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { CommandOptions, WaitableCommandOptions } from './service-context.js';

/** What every command and query takes last. */
export const commandOptions = [
  'signal',
  'actor',
  'idempotencyKey',
] as const satisfies readonly (keyof CommandOptions)[];
/** What a command takes that can wait for its effect. */
export const waitableOptions = [
  ...commandOptions,
  'wait',
] as const satisfies readonly (keyof WaitableCommandOptions)[];
/** What asks for a page. */
export const pageOptions = ['limit', 'cursor'] as const satisfies readonly (keyof PageQuery)[];

/** Refuses options, or fields of a filter, that a call does not have: hosts in plain JavaScript have no compiler to tell them. @throws `INVALID_ARGUMENT` */
export function refuseUnknownOptions(call: string, options: unknown, known: readonly string[]): void {
  if (!isObject(options)) {
    const came = options === null ? 'null' : typeof options;
    throw mcpError('INVALID_ARGUMENT', `${call} takes its options as an object, not ${came}.`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const help = meantOr(unknown, known, `It takes ${known.join(', ')}.`);
  throw mcpError('INVALID_ARGUMENT', `${call} has no option ${JSON.stringify(unknown)}. ${help}`);
}

/** Takes a time in milliseconds, where one is given. @throws `INVALID_ARGUMENT` */
export function checkedTimeMs(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= 0) return value;
  throw mcpError(
    'INVALID_ARGUMENT',
    `${name} is a number of milliseconds from 0, not ${JSON.stringify(value)}.`,
  );
}
