import type { ErrorCode } from './error-codes.js';
import { MCPInfraError, mcpError } from './mcpinfra-error.js';

/** Reads a printable message off whatever was thrown. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  if (typeof thrown === 'string') return thrown;
  return `a thrown ${thrown === null ? 'null' : typeof thrown}`;
}

/** Returns an error of this library as it is and wraps everything else under the given code. */
export function normaliseError(thrown: unknown, code: ErrorCode, doing: string): MCPInfraError {
  if (MCPInfraError.isInstance(thrown)) return thrown;
  return mcpError(code, `${doing}: ${messageOf(thrown)}`, { cause: thrown });
}
