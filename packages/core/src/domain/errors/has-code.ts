import type { ErrorCode } from './error-codes.js';
import { MCPInfraError } from './mcpinfra-error.js';

/** Tells whether an error is one of the library with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is MCPInfraError {
  return MCPInfraError.isInstance(error) && codes.includes(error.code);
}
