/** Any JSON object. */
export type JSONObject = Readonly<Record<string, unknown>>;

/** A request or, without an id, a notification. */
export interface Incoming {
  readonly id?: string | number | undefined;
  readonly method: string;
  readonly params: JSONObject;
}

/** What a request is answered with. */
export type Answer =
  | { readonly result: JSONObject }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } };

/** Takes a request or notification off a line; `null` for everything else, such as an answer. */
export function readLine(line: string): Incoming | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value['method'] !== 'string') return null;
  const { id, method, params } = value;
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') return null;
  return { id, method, params: isObject(params) ? params : {} };
}

/** Makes the answer that refuses a request. */
export function refuse(code: number, message: string, data?: unknown): Answer {
  return { error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** Tells whether a value is an object and no array. */
export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
