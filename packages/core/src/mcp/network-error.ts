import type { ErrorCode } from '../domain/errors/error-codes.js';
import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';

const codes: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'CONNECTION_REFUSED',
  ENOTFOUND: 'CONNECTION_REFUSED',
  EAI_AGAIN: 'CONNECTION_REFUSED',
  EHOSTUNREACH: 'CONNECTION_REFUSED',
  ENETUNREACH: 'CONNECTION_REFUSED',
  EADDRNOTAVAIL: 'CONNECTION_REFUSED',
  ETIMEDOUT: 'REQUEST_TIMEOUT',
  UND_ERR_CONNECT_TIMEOUT: 'REQUEST_TIMEOUT',
  UND_ERR_HEADERS_TIMEOUT: 'REQUEST_TIMEOUT',
  UND_ERR_BODY_TIMEOUT: 'REQUEST_TIMEOUT',
  ECONNRESET: 'CONNECTION_CLOSED',
  EPIPE: 'CONNECTION_CLOSED',
  UND_ERR_SOCKET: 'CONNECTION_CLOSED',
  UND_ERR_DESTROYED: 'CONNECTION_CLOSED',
  UND_ERR_CLOSED: 'CONNECTION_CLOSED',
  ERR_STREAM_DESTROYED: 'CONNECTION_CLOSED',
  ERR_STREAM_PREMATURE_CLOSE: 'CONNECTION_CLOSED',
};

const sentences: Partial<Record<ErrorCode, string>> = {
  CONNECTION_REFUSED: 'Nothing answers at',
  REQUEST_TIMEOUT: 'No connection in time to',
  CONNECTION_CLOSED: 'The connection was closed by',
  PROTOCOL_ERROR: 'No HTTP as expected from',
};

/** Walks from an error to what caused it. */
export function* causes(error: unknown): Generator {
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < 8; depth += 1) {
    yield at;
    at = at instanceof Error ? at.cause : undefined;
  }
}

/** Reads the system's or undici's code off an error or what caused it. */
export function networkCode(error: unknown): string | undefined {
  for (const cause of causes(error)) {
    const code = (cause as { readonly code?: unknown }).code;
    if (typeof code === 'string' && (code in codes || /^(HPE_|CERT_|ERR_TLS|ERR_SSL|EPROTO)/.test(code)))
      return code;
  }
  return undefined;
}

/** Makes one of our errors of a failed HTTP request; one that is in it, such as of a guarded dispatcher, is kept. */
export function networkError(error: unknown, url: URL): MCPInfraError {
  for (const cause of causes(error)) if (MCPInfraError.isInstance(cause)) return cause;
  const found = networkCode(error);
  const code = (found === undefined ? undefined : codes[found]) ?? 'PROTOCOL_ERROR';
  const reason = found ?? messageOf(error);
  return mcpError(code, `${sentences[code] ?? 'Failed:'} ${shown(url)} (${reason}).`, { cause: error });
}

/** Writes an address without what may be secret in it. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
