import { didYouMean, mcpError, type MCPInfraError } from '@mcpinfra/core/plugin';

const fleetName = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/iu;
const schemaName = /^[a-z_][a-z0-9_]{0,47}$/u;

/** What all stores of this package take. */
export interface SharedOptions {
  readonly schema?: string | undefined;
  readonly fleet?: string | undefined;
}

/** Who checks its options, and which it has. */
export interface OptionsCheck {
  /** For messages: `postgresStore`. */
  readonly factory: string;
  readonly known: readonly string[];
}

/**
 * Refuses options that are unknown, or whose names cannot be used.
 *
 * @throws `INVALID_OPTIONS`
 */
export function checkOptions(options: SharedOptions, { factory, known }: OptionsCheck): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown, known);
    const hint = meant === undefined ? `it takes ${known.join(', ')}` : `did you mean "${meant}"?`;
    throw invalid(factory, `has no option "${unknown}"; ${hint}`);
  }
  const { schema, fleet } = options;
  if (schema !== undefined && (!schemaName.test(schema) || schema.startsWith('pg_'))) {
    throw invalid(
      factory,
      `takes as schema 1 to 48 small letters, digits and "_" that begin with no digit and not with "pg_", not ${JSON.stringify(schema)}`,
    );
  }
  if (fleet !== undefined && !fleetName.test(fleet)) {
    throw invalid(
      factory,
      `takes as fleet 1 to 63 letters, digits, ".", "_" and "-", not ${JSON.stringify(fleet)}`,
    );
  }
}

/** The error for options that cannot be used. */
export function invalid(factory: string, what: string): MCPInfraError {
  return mcpError('INVALID_OPTIONS', `${factory}() ${what}.`);
}
