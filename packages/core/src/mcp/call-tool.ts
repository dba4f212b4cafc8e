import type { Client } from '@modelcontextprotocol/client';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { ToolCall, ToolCallOptions, ToolCallResult } from '../ports/mcp-link.js';
import type { ClientPool } from './client-pool.js';
import { normaliseSDKError } from './normalise-sdk-error.js';
import { noTimeout } from './open-client.js';

/** Statuses by which servers refuse a session they do not know: the specification's and the one in use. */
const lostSession: readonly unknown[] = [404, 400];

const goneCodes: readonly ErrorCode[] = ['CONNECTION_CLOSED', 'CONNECTION_REFUSED', 'OUTCOME_UNKNOWN'];

/**
 * Calls a tool on the pooled client. A call that a server refused because it forgot the session is made once more on a
 * new one; a call it may have taken is never repeated.
 */
export async function callTool(
  pool: ClientPool,
  call: ToolCall,
  { signal, onProgress }: Omit<ToolCallOptions, 'timeoutMs'> & { readonly signal: AbortSignal },
): Promise<ToolCallResult> {
  const options = { signal, timeout: noTimeout, ...(onProgress ? { onprogress: onProgress } : {}) };
  for (let again = true; ; again = false) {
    let client: Client | undefined;
    try {
      client = await pool.get(signal);
      const params = { name: call.name, arguments: { ...call.arguments } };
      return (await client.callTool(params, options)) as ToolCallResult;
    } catch (error) {
      const failure = normaliseSDKError(error, { method: `tools/call of ${call.name}` });
      // The client says so before it sends, by an error without a code; our transports and peers say it in the details.
      const ended = messageOf(error) === 'Not connected' || failure.details['unsent'] === true;
      const refused = failure.code === 'HTTP_STATUS' && lostSession.includes(failure.details['status']);
      // Other calls of that client may still get their answers.
      if (client === undefined) {
        if (!ended) throw asUnsent(failure);
      } else if (ended) pool.forget(client);
      else if (refused || goneCodes.includes(failure.code)) pool.drop(client);
      if ((refused || ended) && again && !signal.aborted) continue;
      if (client === undefined || ended) throw asUnsent(failure);
      if (failure.code !== 'CONNECTION_CLOSED' || MCPInfraError.isInstance(error)) throw failure;
      throw mcpError(
        'OUTCOME_UNKNOWN',
        `The server went away while it ran ${call.name}. ${failure.message}`,
        {
          cause: error,
        },
      );
    }
  }
}

/** Says of a failure that the server never got the call, so that it may be made another way. */
function asUnsent(failure: MCPInfraError): MCPInfraError {
  if (failure.details['unsent'] === true || failure.code === 'ABORTED') return failure;
  const { code, message, details, cause, retryable } = failure;
  return mcpError(code, message, { details: { ...details, unsent: true }, cause, retryable });
}
