import type { Socket } from 'node:net';
import { isObject } from '../../domain/is-object.js';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { normaliseError } from '../../domain/errors/normalise-error.js';
import type { CallOptions } from '../../ports/common.js';
import type { LogLine } from '../../ports/provider.js';
import { abortError } from '../../async/abort.js';
import { edge, ignoreError } from '../../async/edge.js';
import { LineDecoder } from '../stdio/line-decoder.js';
import { formatRefusal, parseRefusal } from './refusal.js';

/** Writes log lines to a peer, then how they ended: a connection that breaks is not the end of the lines. */
export async function writeLines(lines: AsyncIterable<LogLine>, socket: Socket): Promise<void> {
  const write = (value: object): Promise<void> =>
    new Promise((resolve) => {
      socket.write(`${JSON.stringify(value)}\n`, () => resolve());
    });
  // Nothing but signs of life comes.
  socket.resume();
  socket.once(
    'end',
    edge(ignoreError, () => void socket.destroy()),
  );
  try {
    for await (const line of lines) {
      await write(line);
      if (socket.destroyed) return;
    }
    await write({ end: true });
  } catch (error) {
    const failure = normaliseError(error, 'PROVIDER_FAILED', 'The logs could not be read');
    await write({ error: formatRefusal(failure) });
  }
  socket.end();
}

/** How lines of a peer are read. */
export interface ReadLinesOptions extends CallOptions {
  readonly maxBytes: number;
  /** Whether an abort is the ordinary end. */
  readonly follow: boolean;
}

/** Reads the log lines a peer writes. @throws what the peer met, `CONNECTION_CLOSED` when they broke off */
export async function* readLines(socket: Socket, options: ReadLinesOptions): AsyncGenerator<LogLine> {
  const { signal, maxBytes, follow } = options;
  const values: unknown[] = [];
  const decoder = new LineDecoder({ maxBytes: () => maxBytes, onGarbage: () => undefined });
  const onAbort = (): void => void socket.destroy();
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort);
  try {
    for await (const chunk of socket) {
      decoder.push(chunk as Buffer, (value) => values.push(value));
      for (const value of values.splice(0)) {
        if (!isObject(value)) continue;
        if (value['end'] === true) return;
        if (value['error'] !== undefined) throw parseRefusal(value['error']);
        yield value as unknown as LogLine;
      }
    }
    throw mcpError('CONNECTION_CLOSED', 'The process that owns the instance closed the connection.');
  } catch (error) {
    if (signal?.aborted === true && follow) return;
    if (signal?.aborted === true) throw abortError(signal);
    if (MCPInfraError.isInstance(error)) throw error;
    throw normaliseError(error, 'CONNECTION_CLOSED', 'The connection to the owner of the instance broke');
  } finally {
    signal?.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}
