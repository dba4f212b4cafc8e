import { connect } from 'node:net';
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { abortError } from '../../async/abort.js';
import { edge } from '../../async/edge.js';
import { networkError } from '../network-error.js';
import type { HTTPEndpoint } from './http-endpoint.js';

/**
 * Looks whether something listens at the host and port of an endpoint.
 *
 * @throws `CONNECTION_REFUSED`
 */
export async function checkTCP(endpoint: HTTPEndpoint, signal: AbortSignal): Promise<void> {
  if (endpoint.isGuarded) await connectByRules(endpoint, signal);
  else await connectTo(endpoint.url, signal);
}

/** Only the provider's dispatcher knows where connections may go; whatever comes back, something listens. */
async function connectByRules(endpoint: HTTPEndpoint, signal: AbortSignal): Promise<void> {
  try {
    const { body } = await endpoint.request({ method: 'HEAD', signal });
    await body.dump();
  } catch (error) {
    const connected =
      MCPInfraError.isInstance(error) &&
      (error.code === 'CONNECTION_CLOSED' || error.code === 'PROTOCOL_ERROR');
    if (!connected) throw error;
  }
}

function connectTo(url: URL, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port });
    const onAbort = (): void => {
      socket.destroy();
      reject(abortError(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const connected = (): void => {
      resolve();
      socket.destroy();
    };
    const release = (): void => signal.removeEventListener('abort', onAbort);
    socket.on('close', edge(reject, release));
    socket.on('connect', edge(reject, connected));
    socket.on(
      'error',
      edge(reject, (error: Error) => reject(networkError(error, url))),
    );
  });
}
