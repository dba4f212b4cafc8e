import type { IncomingMessage, ServerResponse } from 'node:http';
import { maxMessageBytes } from '../limits.js';
import { sendError } from './send-error.js';

/** Reads a body as JSON. A body that is too large or no JSON is answered here, and the result is undefined. */
export async function readJsonBody(req: IncomingMessage, res: ServerResponse): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxMessageBytes) {
      sendError(res, 413, { code: -32_000, message: `the body is larger than ${maxMessageBytes} bytes` });
      return undefined;
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    sendError(res, 400, { code: -32_700, message: 'Parse error: the body is not valid JSON' });
    return undefined;
  }
}
