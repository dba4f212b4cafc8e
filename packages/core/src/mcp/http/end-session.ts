import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Clock } from '../../ports/clock.js';
import { withDeadline } from '../../async/deadline.js';
import type { HTTPEndpoint } from './http-endpoint.js';

/** How long one step of closing may take. */
export const closeStepMs = 5_000;

/** Ends a session at a legacy server by DELETE; a server that refuses or is gone is let be. Never rejects. */
export async function endSession(
  { endpoint, clock }: { readonly endpoint: HTTPEndpoint; readonly clock: Clock },
  session: { readonly id: string; readonly version: string },
): Promise<void> {
  const expired = () => mcpError('REQUEST_TIMEOUT', `The server did not end a session in ${closeStepMs} ms.`);
  const headers = { 'mcp-session-id': session.id, 'mcp-protocol-version': session.version };
  const end = async (signal: AbortSignal): Promise<void> => {
    const { body } = await endpoint.request({ method: 'DELETE', headers, signal });
    await body.dump();
  };
  await withDeadline(end, { clock, timeoutMs: closeStepMs, expired }).catch(() => undefined);
}
