import type { Dispatcher } from 'undici';
import { edge } from '../../async/edge.js';
import { isObject } from '../../domain/is-object.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../../domain/errors/normalise-error.js';
import type { Clock } from '../../ports/clock.js';
import { isResponse, type Message, readMessage, type RequestId, type Response } from '../json-rpc.js';
import { limits } from '../limits.js';
import { networkError, shown } from '../network-error.js';
import { quote } from '../server-hello.js';
import { tooLarge } from './bounded-fetch.js';
import { SSEParser } from './sse-parser.js';

const maxBytes = limits.ownAnswerBytes;

/** A stream ends soon after its answer; one that does not is cut, the connection with it. */
const lingerMs = 1_000;

/** What is read, and by whom it is asked. */
export interface ReadAnswerOptions {
  readonly id: RequestId;
  readonly url: URL;
  readonly clock: Clock;
  /** Told of what comes beside the answer. */
  readonly onOther: (message: Message) => void;
}

/** The parts of a response that are read. */
export type AnswerParts = Pick<Dispatcher.ResponseData, 'headers' | 'body'>;

/**
 * Reads the answer to one request off a response, whether JSON or a stream of events.
 *
 * @throws `PROTOCOL_ERROR` when it is neither, `CONNECTION_CLOSED` when it ends before the answer, `MESSAGE_TOO_LARGE`
 */
export async function readAnswer(response: AnswerParts, options: ReadAnswerOptions): Promise<Response> {
  const type = String(response.headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim()
    .toLowerCase();
  if (type === 'text/event-stream') return readEvents(response.body, options);
  const text = await readText(response, options.url);
  const found = answersIn(text, options);
  if (found !== undefined) return found;
  throw mcpError(
    'PROTOCOL_ERROR',
    `Expected a JSON-RPC answer from ${shown(options.url)}, got ${type || 'no content type'}: ${quote(text)}.`,
  );
}

/**
 * Reads a body to its end.
 *
 * @throws `MESSAGE_TOO_LARGE`
 */
export async function readText({ headers, body }: AnswerParts, url: URL): Promise<string> {
  try {
    // What says its size is read in one go, which costs a third of reading it in pieces.
    if (Number(headers['content-length']) <= maxBytes) return await body.text();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(url, maxBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    throw networkError(error, url);
  }
}

/** Finds the answer in a JSON text, alone or in a batch. */
export function answersIn(
  text: string,
  { id, onOther }: Pick<ReadAnswerOptions, 'id' | 'onOther'>,
): Response | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  let answer: Response | undefined;
  for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
    // An error without an id answers the one request that was posted, which the server could not read.
    const message = readMessage(isObject(item) && item['id'] === null ? { ...item, id } : item);
    if (message === null) continue;
    if (isResponse(message) && message.id === id) answer ??= message;
    else onOther(message);
  }
  return answer;
}

function readEvents(body: AnswerParts['body'], options: ReadAnswerOptions): Promise<Response> {
  return new Promise((resolve, reject) => {
    let size = 0;
    let cancel = (): void => undefined;
    const fail = (error: unknown): void => {
      reject(normaliseError(error, 'INTERNAL', `Reading the answer of ${shown(options.url)} failed`));
      body.destroy();
    };
    const parser = new SSEParser((data) => {
      const answer = answersIn(data, options);
      if (answer === undefined) return;
      resolve(answer);
      cancel();
      cancel = options.clock.schedule(
        lingerMs,
        edge(fail, () => void body.destroy()),
      );
    });
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) fail(tooLarge(options.url, maxBytes));
      else parser.push(chunk);
    };
    const onClose = (): void => {
      cancel();
      const said = body.errored === null ? 'the stream ended' : messageOf(body.errored);
      reject(
        mcpError(
          'CONNECTION_CLOSED',
          `${shown(options.url)} ended its answer before the result came (${said}).`,
        ),
      );
    };
    body.on('data', edge(fail, onData));
    body.on(
      'error',
      edge(fail, (error: Error) => reject(networkError(error, options.url))),
    );
    body.on('close', edge(fail, onClose));
  });
}
