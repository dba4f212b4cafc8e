import { isObject } from '../../domain/is-object.js';
import { errorCodes, type ErrorCode } from '../../domain/errors/error-codes.js';
import { type MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { type JSONObject } from '../json-rpc.js';

/** Writes an error for a peer: no details or causes, which may hold what only this process should know. */
export function formatRefusal({ code, message, retryable }: MCPInfraError): JSONObject {
  return { code, message, retryable };
}

/** Reads the error a peer wrote. */
export function parseRefusal(value: unknown): MCPInfraError {
  const { code, message, retryable } = isObject(value) ? value : {};
  if (typeof code === 'string' && Object.hasOwn(errorCodes, code) && typeof message === 'string') {
    return mcpError(code as ErrorCode, message, typeof retryable === 'boolean' ? { retryable } : {});
  }
  return mcpError('PROTOCOL_ERROR', 'The process that owns the instance answered what no peer answers.');
}
