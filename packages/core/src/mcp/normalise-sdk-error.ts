import { isObject } from '../domain/is-object.js';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf as wholeMessageOf } from '../domain/errors/normalise-error.js';
import { shownText } from '../domain/shown-text.js';
import { rpcErrors } from './json-rpc.js';
import { limits } from './limits.js';
import { causes, networkCode, networkError } from './network-error.js';
import { quote } from './server-hello.js';

/** What was done when an error came. */
export interface SDKErrorContext {
  readonly method: string;
  /** The address of an HTTP server. */
  readonly url?: URL | undefined;
}

const sdkCodes: Readonly<Record<string, ErrorCode>> = {
  REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
  CONNECTION_CLOSED: 'CONNECTION_CLOSED',
  NOT_CONNECTED: 'CONNECTION_CLOSED',
  SEND_FAILED: 'CONNECTION_CLOSED',
  CLIENT_HTTP_AUTHENTICATION: 'UNAUTHORIZED',
  CLIENT_HTTP_FORBIDDEN: 'UNAUTHORIZED',
  ERA_NEGOTIATION_FAILED: 'ERA_MISMATCH',
};

/** What our own transports say became of a call. */
const fates: readonly ErrorCode[] = [
  'OUTCOME_UNKNOWN',
  'CONNECTION_CLOSED',
  'MESSAGE_TOO_LARGE',
  'SERVER_NOT_READING',
  'INTERNAL',
];

/**
 * Makes one of our errors of whatever the MCP client throws.
 *
 * The client has no error of one shape: what happened is told by a status, a string code, a JSON-RPC code, a system
 * error some causes below, or only by the message.
 */
export function normaliseSDKError(error: unknown, context: SDKErrorContext): MCPInfraError {
  const { method, url } = context;
  for (const cause of causes(error)) if (MCPInfraError.isInstance(cause)) return cause;
  const { code, status, data, name } = isErrorLike(error) ? error : {};
  const httpStatus = typeof status === 'number' ? status : statusInMessage(error, code, name);
  const what = (text: string): string => `${method} failed: ${text}.`;

  if (httpStatus !== undefined) {
    const denied = httpStatus === 401 || httpStatus === 403;
    return mcpError(
      denied ? 'UNAUTHORIZED' : 'HTTP_STATUS',
      what(`the server answered with status ${httpStatus}: ${quote(messageOf(error))}`),
      { details: { status: httpStatus }, cause: error },
    );
  }
  if (name === 'UnauthorizedError' || name === 'InsufficientScopeError') {
    return mcpError('UNAUTHORIZED', what('the server refused our credentials'), { cause: error });
  }
  if (typeof code === 'number') return rpcError(code, data, { error, what });
  if (networkCode(error) !== undefined && url !== undefined) return networkError(error, url);
  const known = typeof code === 'string' ? sdkCodes[code] : undefined;
  if (known !== undefined) return mcpError(known, what(messageOf(error)), { cause: error });
  // The client says this by an error without any code.
  if (messageOf(error) === 'Not connected')
    return mcpError('CONNECTION_CLOSED', what('the session has ended'), { cause: error });
  if (networkCode(error) !== undefined) {
    return mcpError('CONNECTION_CLOSED', what(messageOf(error)), { cause: error });
  }
  return mcpError('PROTOCOL_ERROR', what(quote(messageOf(error))), { cause: error });
}

function rpcError(
  rpcCode: number,
  data: unknown,
  { error, what }: { readonly error: unknown; readonly what: (text: string) => string },
): MCPInfraError {
  const said = isObject(data) && rpcCode === rpcErrors.serverError ? data['code'] : undefined;
  const ours = fates.find((fate) => fate === said);
  if (ours !== undefined) {
    const details = isObject(data) && data['unsent'] === true ? { unsent: true } : {};
    return mcpError(ours, messageOf(error), { details, cause: error });
  }
  const code: ErrorCode =
    rpcCode === rpcErrors.invalidParams
      ? 'INVALID_ARGUMENT'
      : rpcCode === rpcErrors.unsupportedProtocolVersion
        ? 'ERA_MISMATCH'
        : 'PROTOCOL_ERROR';
  return mcpError(code, what(`the server answered error ${rpcCode}: ${quote(messageOf(error))}`), {
    details: { rpcCode },
    cause: error,
  });
}

interface ErrorLike {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly data?: unknown;
  readonly name?: unknown;
}

function isErrorLike(error: unknown): error is ErrorLike {
  return typeof error === 'object' && error !== null;
}

/** The transport with server-sent events gives the status as its code when it opens, and in words when it sends. */
function statusInMessage(error: unknown, code: unknown, name: unknown): number | undefined {
  const message = messageOf(error);
  if (typeof code === 'number' && code >= 300 && (name === 'SseError' || message.startsWith('SSE error')))
    return code;
  const found = /\(HTTP (\d{3})\)/.exec(message)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** A message as it may be shown: a server may have written it. */
function messageOf(error: unknown): string {
  return shownText(wholeMessageOf(error), limits.shownLength);
}
