import {
  isRequestId,
  isResponse,
  readMessage,
  type JSONObject,
  type ResponseError,
} from '../mcp/json-rpc.js';

/** A request or, without an id, a notification. */
export interface Incoming {
  readonly id?: string | number | undefined;
  readonly method: string;
  readonly params: JSONObject;
}

/** What a request is answered with. */
export type Answer = { readonly result: JSONObject } | { readonly error: ResponseError };

/** Takes a request or notification off a line; `null` for everything else, such as an answer. */
export function readLine(line: string): Incoming | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const message = readMessage(value);
  if (message === null || isResponse(message)) return null;
  const { method, params = {} } = message;
  return 'id' in message && isRequestId(message.id) ? { id: message.id, method, params } : { method, params };
}

/** Makes the answer that refuses a request. */
export function refuse(code: number, message: string, data?: unknown): Answer {
  return { error: { code, message, ...(data === undefined ? {} : { data }) } };
}
