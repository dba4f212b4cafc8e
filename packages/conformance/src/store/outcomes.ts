import { inspect } from 'node:util';
import { MCPInfraError } from '@mcpinfra/core/plugin';

/** How calls that were made at once ended. */
export interface Outcomes<T> {
  /** What the calls that succeeded resolved with. */
  readonly won: readonly T[];
  /** The codes of the others; of an error that is not of the library, what it looks like. */
  readonly codes: readonly string[];
}

/** Waits for calls that were made at once. */
export async function outcomesOf<T>(calls: readonly Promise<T>[]): Promise<Outcomes<T>> {
  const won: T[] = [];
  const codes: string[] = [];
  for (const result of await Promise.allSettled(calls)) {
    if (result.status === 'fulfilled') won.push(result.value);
    else codes.push(codeOf(result.reason));
  }
  return { won, codes };
}

/** Makes a call several times at once. */
export function times<T>(count: number, call: (index: number) => Promise<T>): Promise<T>[] {
  return Array.from({ length: count }, (_, index) => call(index));
}

function codeOf(error: unknown): string {
  return MCPInfraError.isInstance(error) ? error.code : inspect(error, { depth: 0 });
}
