import type { Client, Implementation } from '@modelcontextprotocol/client';
import type { Logger } from '../ports/logger.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import { abortError } from '../async/abort.js';
import type { OpenSession } from './server-connection.js';

/** The client's own time limits are not used: the clock of the host decides. This is the longest a timer can be set. */
export const noTimeout = 2_147_483_647;

/** Whose client is opened, and how long that may take. */
export interface OpenClientOptions {
  readonly identity: Implementation;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Opens a client on a session; an abort leaves neither behind. */
export async function openClient(
  session: OpenSession,
  { identity, logger, signal }: OpenClientOptions,
): Promise<Client> {
  const { Client } = await import('@modelcontextprotocol/client');
  const client = new Client(identity);
  client.onerror = (error) => logger.debug('a client session met an error', { error: messageOf(error) });
  // Opening a stream of events takes no signal.
  const onAbort = (): void => void session.transport.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect(session.transport, { prior: session.prior, signal, timeout: noTimeout });
    if (signal.aborted) throw abortError(signal);
  } catch (error) {
    await session.transport.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  return client;
}
