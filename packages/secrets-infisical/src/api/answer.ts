import type { Dispatcher } from 'undici';
import { failure } from './failure.js';

/** What the server answered. */
export interface Answer {
  readonly status: number;
  /** Absent when the answer was no JSON object, such as the web page of a proxy. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs: number | undefined;
}

/** A folder holds a few secrets of a few kilobytes; an answer beyond this is no answer to what was asked. */
const maxAnswerBytes = 8 * 1_024 * 1_024;

/** Reads an answer to its end. @throws `SECRET_BACKEND_FAILED` for one that is too large */
export async function readAnswer(response: Dispatcher.ResponseData, nowMs: number): Promise<Answer> {
  const { statusCode: status, headers, body } = response;
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop early destroys the stream, and with it the connection.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes)
      throw failure(
        'unexpected-answer',
        'Infisical answered with more than 8 MiB: keep fewer secrets in one folder.',
      );
    chunks.push(chunk);
  }
  return {
    status,
    body: objectIn(Buffer.concat(chunks).toString()),
    retryAfterMs: retryAfter(headers['retry-after'], nowMs),
  };
}

/** Tells whether the server did what was asked. */
export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** Tells whether what was asked for is not there, or, when it was to be made, is there already. */
export function isAbsent({ status }: Answer): boolean {
  // 400 is said for it by servers of 2024, 404 by later ones.
  return status === 400 || status === 404;
}

/** Tells whether an answer, by its text, is about the token and not about what was asked. */
export function isAboutToken({ status, body }: Answer): boolean {
  const message = typeof body?.['message'] === 'string' ? body['message'] : '';
  // Servers of 2024 say 401 for an action that is not allowed, and 500 for a token that has expired.
  if (status === 401) return !message.startsWith('You are not allowed');
  if (status !== 403 && status !== 500) return false;
  return (
    body?.['error'] === 'TokenError' || /\bjwt\b|token (?:missing|has expired)|access token/iu.test(message)
  );
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    // The error is not passed on: it quotes the text, which may hold values.
    return undefined;
  }
}

function retryAfter(header: string | readonly string[] | undefined, nowMs: number): number | undefined {
  const said = typeof header === 'string' ? header : undefined;
  if (said === undefined) return undefined;
  const delayMs = /^\d{1,6}$/u.test(said) ? Number(said) * 1_000 : Date.parse(said) - nowMs;
  return Number.isFinite(delayMs) ? Math.max(0, delayMs) : undefined;
}
