import { ignoreError } from '../../async/edge.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { HTTPEndpoint } from './http-endpoint.js';
import { httpStatus, throwIfLeaving, unauthorized } from './post-message.js';

/**
 * Looks whether a path answers with a status of success.
 *
 * A path with a leading slash is resolved against the origin, another one under the endpoint.
 *
 * @throws `UNAUTHORIZED` for 401 and 403, `REDIRECT_REFUSED`, `HTTP_STATUS` for any other status, and what a lost connection throws
 */
export async function checkHTTP(endpoint: HTTPEndpoint, path: string, signal: AbortSignal): Promise<void> {
  const url = resolvePath(endpoint.url, path);
  const { statusCode, headers, body } = await endpoint.request({ method: 'GET', url, signal });
  // A stream of events never ends; anything else is read out, so that the connection can be kept.
  if (String(headers['content-type']).startsWith('text/event-stream'))
    body.on('error', ignoreError).destroy();
  else await body.dump({ limit: 65_536, signal }).catch(() => undefined);
  throwIfLeaving(statusCode, url, headers['location']);
  if (statusCode === 401 || statusCode === 403) throw unauthorized(statusCode, url, '');
  if (statusCode < 200 || statusCode >= 300) throw httpStatus(statusCode, url, '');
}

function resolvePath(base: URL, path: string): URL {
  if (path === '') return base;
  const under = path.startsWith('/') ? path : `${base.pathname.replace(/\/$/, '')}/${path}`;
  // A path like `//host` would name another host.
  const url = URL.canParse(under, base.origin) ? new URL(under, base.origin) : null;
  if (url?.origin === base.origin) return url;
  throw mcpError(
    'INVALID_ARGUMENT',
    `health_check.path must be a path at ${base.origin}, got '${path}'; remove its host.`,
  );
}
