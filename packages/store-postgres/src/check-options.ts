import type { OptionChecks } from '@mcpinfra/core/plugin';

const schemaName = /^[a-z_][a-z0-9_]{0,47}$/u;

/** What all stores of this package take. */
export interface SharedOptions {
  readonly schema?: string | undefined;
  readonly fleet?: string | undefined;
}

/**
 * Refuses options that are unknown, or whose names cannot be used.
 *
 * @throws `INVALID_OPTIONS`
 */
export function checkOptions(options: SharedOptions, known: readonly string[], check: OptionChecks): void {
  check.known(options, known);
  const { schema, fleet } = options;
  if (schema !== undefined && (!schemaName.test(schema) || schema.startsWith('pg_'))) {
    const expected = '1 to 48 small letters, digits and "_" that begin with no digit and not with "pg_"';
    throw check.unexpected('schema', expected, schema);
  }
  if (fleet !== undefined) check.fleet('fleet', fleet);
}
