import { mcpError, type MCPInfraError } from '@mcpinfra/core/plugin';

/** Why Infisical gave nothing, for programs: `details.reason` of the error. */
export type FailureReason =
  | 'approval-required'
  | 'closed'
  | 'credentials-refused'
  | 'forbidden'
  | 'not-found'
  | 'rate-limited'
  | 'refused'
  | 'server-error'
  | 'timeout'
  | 'token-refused'
  | 'unexpected-answer'
  | 'unreachable';

/** Makes the error of a call that Infisical did not serve. No text of the server is repeated: it could hold a value. */
export function failure(
  reason: FailureReason,
  message: string,
  { cause, ...details }: { readonly cause?: unknown } & Readonly<Record<string, unknown>> = {},
): MCPInfraError {
  return mcpError('SECRET_BACKEND_FAILED', message, { details: { reason, ...details }, cause });
}
