import { MCPInfraError } from '@mcpinfra/core/plugin';

/** Tells whether it was Redis that refused, and not the way to it; with a word only if its answer begins with that. */
export function isRefusal(error: unknown, word?: string): boolean {
  if (!MCPInfraError.isInstance(error)) return false;
  const { reply } = error.details;
  return reply !== undefined && (word === undefined || reply === word);
}
