import { isObject } from '../../domain/is-object.js';
import {
  errorResponse,
  type Request,
  type Response,
  type ResponseError,
  resultResponse,
  rpcErrors,
} from '../json-rpc.js';
import { modernVersion } from '../protocol.js';
import type { CallOwner } from './call-table.js';
import type { Greeting } from './greeting.js';
import type { SharedSettings } from './shared-settings.js';

/** Capabilities by which a server asks a client; a shared server could not tell which one it means. */
const personalCapabilities = ['sampling', 'elicitation', 'roots'];

/** What the sessions of a server share. */
export interface Shared {
  readonly greeting: Greeting | null;
  readonly settings: SharedSettings<CallOwner>;
}

/** Decides on a request of a session: gives the answer that needs no server, or what to send to it. */
export function answerLocally(session: CallOwner, request: Request, shared: Shared): Request | Response {
  const { greeting, settings } = shared;
  if (greeting?.era === 'modern') {
    return request.method === 'initialize' ? errorResponse(request.id, modernOnly(request)) : request;
  }
  const { id, method, params } = request;
  const uri = params?.['uri'];
  switch (method) {
    case 'initialize':
      return initialize(request, greeting);
    case 'server/discover':
      // A server may end at a request from before its time.
      return errorResponse(id, { code: rpcErrors.methodNotFound, message: 'Method not found' });
    case 'resources/subscribe':
      if (typeof uri === 'string') settings.subscribe(session, uri);
      return request;
    case 'resources/unsubscribe':
      if (typeof uri !== 'string' || settings.unsubscribe(session, uri)) return request;
      return resultResponse(id, {});
    case 'logging/setLevel': {
      const level = params?.['level'];
      if (typeof level !== 'string') return request;
      return { ...request, params: { ...params, level: settings.setLevel(session, level) } };
    }
    default:
      return request;
  }
}

function initialize({ id, params }: Request, greeting: Greeting | null): Response {
  if (greeting?.era !== 'legacy') {
    return errorResponse(id, {
      code: rpcErrors.serverError,
      message: 'The server has not been initialized yet.',
    });
  }
  const asked = params?.['capabilities'];
  const personal = personalCapabilities.filter((name) => isObject(asked) && asked[name] !== undefined);
  if (personal.length === 0) return resultResponse(id, greeting.initializeResult);
  return errorResponse(id, {
    code: rpcErrors.invalidParams,
    message:
      `This server is shared by several clients, so it cannot ask one of them: the client capabilities ` +
      `${personal.join(', ')} are not available. Leave them out, or set session.policy to per-session.`,
  });
}

function modernOnly({ params }: Request): ResponseError {
  return {
    code: rpcErrors.unsupportedProtocolVersion,
    message: `The server is spoken to by protocol version ${modernVersion}, which has no initialize.`,
    data: { supported: [modernVersion], requested: params?.['protocolVersion'] },
  };
}
