import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Clock } from '../../ports/clock.js';
import { isRequest, type Message, type Notification, type Request, type Response } from '../json-rpc.js';
import { shown } from '../network-error.js';
import { quote } from '../server-hello.js';
import type { HTTPEndpoint } from './http-endpoint.js';
import { answersIn, readAnswer, readText } from './read-answer.js';

const maxRedirects = 3;

/** How a message is sent. */
export interface PostOptions {
  readonly endpoint: HTTPEndpoint;
  readonly clock: Clock;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Told of what the server says beside its answer. */
  readonly onOther: (message: Message) => void;
}

/** What a server answered over HTTP; `response` is there with an error status too, if its body is one. */
export interface PostedAnswer {
  readonly status: number;
  readonly sessionId: string | undefined;
  readonly response: Response | undefined;
  /** How a body that is no answer begins. */
  readonly excerpt: string;
}

/**
 * Posts one message and reads its answer.
 *
 * @throws `UNAUTHORIZED` for 401 and 403, `REDIRECT_REFUSED`, `HTTP_STATUS` for a server's fault or another redirect, and
 *   what a lost connection throws
 */
export async function postMessage(
  message: Request | Notification,
  options: PostOptions,
): Promise<PostedAnswer> {
  const { endpoint, onOther } = options;
  for (let redirects = 0; ; redirects += 1) {
    const { statusCode, headers, body } = await send(message, options);
    const sessionId = headers['mcp-session-id'];
    const answer = { status: statusCode, sessionId: typeof sessionId === 'string' ? sessionId : undefined };
    if (statusCode >= 200 && statusCode < 300) {
      if (!isRequest(message)) {
        await body.dump();
        return { ...answer, response: undefined, excerpt: '' };
      }
      const { clock } = options;
      const read = { id: message.id, url: endpoint.url, clock, onOther };
      return { ...answer, response: await readAnswer({ headers, body }, read), excerpt: '' };
    }
    const location = headers['location'];
    if ([307, 308].includes(statusCode) && redirects < maxRedirects && typeof location === 'string') {
      await body.dump();
      if (endpoint.follow(location)) continue;
    }
    const text = await readText({ headers, body }, endpoint.url);
    throwIfLeaving(statusCode, endpoint.url, location);
    if (statusCode === 401 || statusCode === 403) throw unauthorized(statusCode, endpoint.url, text);
    if (statusCode >= 500 || statusCode < 400 || statusCode === 408 || statusCode === 429) {
      throw httpStatus(statusCode, endpoint.url, text);
    }
    const response = isRequest(message) ? answersIn(text, { id: message.id, onOther }) : undefined;
    return { ...answer, response, excerpt: text };
  }
}

/** Sends, and once more when a kept connection turned out to be closed; a tool is never called twice. */
async function send(
  message: Request | Notification,
  { endpoint, headers, signal }: PostOptions,
): ReturnType<HTTPEndpoint['request']> {
  const request = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(message),
    signal,
  } as const;
  try {
    return await endpoint.request(request);
  } catch (error) {
    const lost = MCPInfraError.isInstance(error) && error.code === 'CONNECTION_CLOSED';
    if (!lost || message.method === 'tools/call') throw error;
    return endpoint.request(request);
  }
}

/** Makes the error of a server that refuses our credentials. */
export function unauthorized(status: number, url: URL, text: string): MCPInfraError {
  return mcpError(
    'UNAUTHORIZED',
    `${shown(url)} refused our credentials with status ${status}: ${quote(text)}.`,
    {
      details: { status },
    },
  );
}

/** Refuses a redirect to another origin. @throws `REDIRECT_REFUSED` */
export function throwIfLeaving(status: number, from: URL, location: unknown): void {
  if (status < 300 || status >= 400 || typeof location !== 'string' || !URL.canParse(location, from.href))
    return;
  const to = new URL(location, from);
  if (to.origin === from.origin) return;
  throw mcpError(
    'REDIRECT_REFUSED',
    `${shown(from)} redirects (status ${status}) to ${shown(to)}, which is another origin and is not followed.`,
    { details: { status } },
  );
}

/** Makes the error of a status that is none of MCP's. */
export function httpStatus(status: number, url: URL, text: string): MCPInfraError {
  return mcpError('HTTP_STATUS', `${shown(url)} answered with status ${status}: ${quote(text)}.`, {
    details: { status },
  });
}
