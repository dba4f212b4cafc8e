import { meantOr } from '../../domain/did-you-mean.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';

/** Refuses options that a call does not have. @throws `INVALID_ARGUMENT` */
export function refuseUnknownOptions(call: string, options: object, known: readonly string[]): void {
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
