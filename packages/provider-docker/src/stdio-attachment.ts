import { Readable, Writable, type Duplex } from 'node:stream';
import { edge, ignoreError, mcpError, normaliseError, type StdioChannel } from '@mcpinfra/core/plugin';
import { FrameDemultiplexer } from './frame-demultiplexer.js';

/**
 * Makes a channel of a connection that the engine has attached to a container.
 *
 * Nothing is read ahead: a client that does not read holds back the server. Letting go of the channel ends the
 * connection, not the server, whose input stays open for the next owner.
 */
export function openAttachment(connection: Duplex): StdioChannel {
  const output = new Readable({ read: () => connection.resume() });
  const input = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (connection.destroyed || !connection.writable) {
        done(mcpError('CONNECTION_CLOSED', 'The server no longer reads its standard input; it ended.'));
        return;
      }
      connection.write(chunk, (error) => done(error));
    },
  });
  // The owner may have gone away without listening.
  for (const stream of [input, output, connection]) stream.on('error', ignoreError);

  const demultiplexer = new FrameDemultiplexer((stream, bytes) => {
    // Standard error is in the engine's log.
    if (stream === 'stdout' && !output.push(bytes)) connection.pause();
  });
  let isOpen = true;
  const fail = (error: unknown): void => {
    output.destroy(normaliseError(error, 'PROVIDER_FAILED', 'Handing on what the server wrote failed'));
    close();
  };
  const close = edge(ignoreError, (): void => {
    if (!isOpen) return;
    isOpen = false;
    connection.off('data', onData).off('end', close).off('close', close).destroy();
    input.destroy();
    if (!output.destroyed) output.push(null);
  });
  const onData = edge(fail, (chunk: Buffer) => demultiplexer.push(chunk));
  connection.on('data', onData).on('end', close).on('close', close);
  connection.pause();
  return { input, output, close };
}
