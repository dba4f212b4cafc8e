import { createHash } from 'node:crypto';

/** A statement of SQL with places for values. */
export interface Statement {
  readonly text: string;
  /** The name under which a connection keeps it prepared; without one it is planned for the values of each call. */
  readonly name?: string;
}

/** Makes a statement that connections keep prepared. Its name follows from its text, which names the schema. */
export function prepared(text: string): Statement {
  return { text, name: `mcpinfra_${createHash('sha256').update(text).digest('hex').slice(0, 24)}` };
}

/** Makes a statement that is planned for the values it is given: where an index helps depends on them. */
export function planned(text: string): Statement {
  return { text };
}

/** Quotes an identifier. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
