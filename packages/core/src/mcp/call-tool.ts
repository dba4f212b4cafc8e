import type { Client } from '@modelcontextprotocol/client';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { ToolCall, ToolCallResult } from '../ports/mcp-link.js';
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
  signal: AbortSignal,
): Promise<ToolCallResult> {
  for (let again = true; ; again = false) {
    let client: Client | undefined;
    try {
      client = await pool.get(signal);
      const params = { name: call.name, arguments: { ...call.arguments } };
      return (await client.callTool(params, { signal, timeout: noTimeout })) as ToolCallResult;
    } catch (error) {
      const failure = normaliseSDKError(error, { method: `tools/call of ${call.name}` });
      // The client says so before it sends, by an error without a code; our transports and peers say it in the details.
      const ended = messageOf(error) === 'Not connected' || failure.details['unsent'] === true;
      const refused = failure.code === 'HTTP_STATUS' && lostSession.includes(failure.details['status']);
      // Other calls of that client may still get their answers.
      if (client === undefined) {
        if (!ended) throw failure;
      } else if (ended) pool.forget(client);
      else if (refused || goneCodes.includes(failure.code)) pool.drop(client);
      if ((refused || ended) && again && !signal.aborted) continue;
      const unsent = ended || MCPInfraError.isInstance(error);
      if (failure.code !== 'CONNECTION_CLOSED' || unsent) throw failure;
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
