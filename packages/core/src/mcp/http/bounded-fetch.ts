import type { FetchLike } from '@modelcontextprotocol/client';
import { sleep } from '../../async/sleep.js';
import { TokenBucket } from '../../async/token-bucket.js';
import { type MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Clock } from '../../ports/clock.js';
import { limits } from '../limits.js';
import { shown } from '../network-error.js';
import { EventSize } from './event-size.js';

/** Says for which request a fetch is made; it is taken off before it is sent. */
export const requestHeader = 'x-mcpinfra-request';

/** How answers are bounded. */
export interface BoundedFetchOptions {
  readonly clock: Clock;
  readonly url: () => URL;
  /** Told of an answer that was given up, with the header of its request; `''` for a stream that is no answer. */
  readonly onTooLarge: (request: string, error: MCPInfraError) => void;
}

/**
 * A fetch whose answers are read no further than `limits.messageBytes`, counted after decompression: a body of JSON
 * as a whole, a stream of events by each event. Streams are read no faster than their rates allow.
 */
export function boundedFetch(fetch: FetchLike, options: BoundedFetchOptions): FetchLike {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    const request = headers.get(requestHeader) ?? '';
    headers.delete(requestHeader);
    const response = await fetch(input, { ...init, headers });
    const { body } = response;
    if (body === null || isBounded(response.headers)) return response;
    const isStream = /^text\/event-stream\b/iu.test(response.headers.get('content-type') ?? '');
    const check = isStream ? streamCheck(options.clock) : bodyCheck();
    const refuse = (): MCPInfraError => {
      const error = tooLarge(options.url(), limits.messageBytes);
      options.onTooLarge(request, error);
      return error;
    };
    const signal = init?.signal ?? undefined;
    const bound = new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        const waitMs = check(chunk);
        if (waitMs === null) throw refuse();
        controller.enqueue(chunk);
        if (waitMs > 0) await sleep(options.clock, waitMs, signal);
      },
    });
    const bounded = new Response(body.pipeThrough(bound, signal && { signal }), response);
    for (const name of ['url', 'redirected'] as const)
      Object.defineProperty(bounded, name, { value: response[name] });
    return bounded;
  };
}

/** Takes a piece; gives how long to wait for the next, or null when there were too many bytes. */
type Check = (chunk: Uint8Array) => number | null;

function bodyCheck(): Check {
  let bytes = 0;
  return (chunk) => ((bytes += chunk.length) > limits.messageBytes ? null : 0);
}

function streamCheck(clock: Clock): Check {
  const size = new EventSize();
  const events = new TokenBucket({
    clock,
    perSecond: limits.unaskedPerSecond,
    burst: 2 * limits.unaskedPerSecond,
  });
  const bytes = new TokenBucket({ clock, perSecond: limits.streamBytesPerSecond, burst: limits.streamBytes });
  return (chunk) => {
    const ended = size.push(chunk);
    if (size.bytes > limits.messageBytes) return null;
    return Math.max(events.spend(ended), bytes.spend(chunk.length));
  };
}

/** What says its size, and is not decompressed, needs no counting. */
function isBounded(headers: Headers): boolean {
  const length = headers.get('content-length');
  return length !== null && !headers.has('content-encoding') && Number(length) <= limits.messageBytes;
}

/** Makes the error of an answer beyond the limit. */
export function tooLarge(url: URL, maxBytes: number): MCPInfraError {
  return mcpError(
    'MESSAGE_TOO_LARGE',
    `${shown(url)} answered with more than ${maxBytes} bytes, the limit of one answer.`,
    { details: { maxBytes } },
  );
}
