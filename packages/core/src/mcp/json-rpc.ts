import { isObject } from '../domain/is-object.js';
/** The id of a request; `1` and `"1"` are two ids. */
export type RequestId = string | number;

/** Any JSON object. */
export type JSONObject = Readonly<Record<string, unknown>>;

/** A request as it is on the wire. */
export interface Request {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: JSONObject | undefined;
}

/** A message that wants no answer. */
export interface Notification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JSONObject | undefined;
}

/** The error part of an answer. */
export interface ResponseError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** An answer: either `result` or `error` is there. */
export interface Response {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly result?: JSONObject | undefined;
  readonly error?: ResponseError | undefined;
}

/** Anything that goes over the wire; a batch is several of them. */
export type Message = Request | Notification | Response;

/** The error codes used here, from JSON-RPC and MCP 2026-07-28. */
export const rpcErrors = {
  serverError: -32000,
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
} as const;

/** Tells whether a value can be the id of a request or a progress token; `0` and `""` can. */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || typeof value === 'number';
}

/** Tells whether a message wants an answer. */
export function isRequest(message: Message): message is Request {
  return 'method' in message && 'id' in message;
}

/** Tells whether a message is an answer. */
export function isResponse(message: Message): message is Response {
  return !('method' in message);
}

/** Takes one message off parsed JSON; null for what is no JSON-RPC 2.0, such as the log lines of a server. */
export function readMessage(value: unknown): Message | null {
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return null;
  const { id, method, params, result, error } = value;
  if (typeof method === 'string') {
    if (params !== undefined && !isObject(params)) return null;
    if (id !== undefined && !isRequestId(id)) return null;
  } else if (!isRequestId(id) || !(isObject(result) || isResponseError(error))) {
    return null;
  }
  return value as unknown as Message;
}

function isResponseError(value: unknown): value is ResponseError {
  return isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string';
}

/** Makes the answer that refuses a request. */
export function errorResponse(id: RequestId, error: ResponseError): Response {
  return { jsonrpc: '2.0', id, error };
}

/** Makes the answer that fulfils a request. */
export function resultResponse(id: RequestId, result: JSONObject): Response {
  return { jsonrpc: '2.0', id, result };
}
