import { meantOr, mcpError } from '@mcpinfra/core/plugin';

/** Refuses an option that a function does not take. @throws `INVALID_ARGUMENT` */
export function refuseUnknownOptions(by: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const hint = meantOr(unknown, known, `It takes ${known.join(', ')}.`);
  throw mcpError(
    'INVALID_ARGUMENT',
    `${by}() takes no option ${JSON.stringify(unknown.slice(0, 60))}. ${hint}`,
  );
}
