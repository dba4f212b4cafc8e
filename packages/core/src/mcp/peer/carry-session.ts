import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { Socket } from 'node:net';
import { edge } from '../../async/edge.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { normaliseError } from '../../domain/errors/normalise-error.js';
import type { PeerSession } from '../../ports/peer-link.js';
import { errorResponse, isRequest, isResponse, type Message, readMessage, rpcErrors } from '../json-rpc.js';
import { LineDecoder } from '../stdio/line-decoder.js';
import { goodbye } from './goodbye.js';

/**
 * Carries the messages of a session over a socket, one a line, until either ends; then ends the other. Calls on their way
 * to a session that has ended are refused as not sent, so that they can be sent another way.
 *
 * The socket is not read while the server takes no more. The server is never held back by a peer that does not read,
 * since others share it: such a peer is cut off when `maxBytes` wait for it.
 *
 * @returns what ends the session
 */
export function carrySession(session: PeerSession, socket: Socket, maxBytes: number): () => void {
  const { transport } = session;
  const decoder = new LineDecoder({ maxBytes: () => maxBytes, onGarbage: () => undefined });
  const { onclose } = transport;
  let hasEnded = false;

  const write = (message: Message): void => {
    const text = JSON.stringify(message);
    // As where it is called here: a result is the caller's, but a server may put what it knows into an error.
    const safe = isResponse(message) && message.error !== undefined ? session.scrub(text) : text;
    if (socket.writableLength > maxBytes) socket.destroy();
    else if (socket.writable) socket.write(`${safe}\n`);
  };
  const take = async (message: Message): Promise<void> => {
    try {
      if (hasEnded) throw ended();
      await transport.send(message as unknown as JSONRPCMessage);
    } catch (error) {
      if (isRequest(message)) write(refusal(message.id, error));
    }
  };
  const leave = (): void => void transport.close().catch(() => undefined);
  // What is thrown here ends this connection: the peer opens another, and the server's other clients go on.
  const cut = (): void => void socket.destroy();
  const onData = async (chunk: Buffer): Promise<void> => {
    const taken: Promise<void>[] = [];
    decoder.push(chunk, (value) => {
      const message = readMessage(value);
      if (message !== null) taken.push(take(message));
    });
    if (taken.length === 0) return;
    socket.pause();
    await Promise.all(taken);
    socket.resume();
  };
  const onLeft = (): void => {
    leave();
    socket.end();
  };

  transport.onmessage = edge(cut, (message: JSONRPCMessage) => write(message as unknown as Message));
  transport.onclose = edge(cut, () => {
    onclose?.();
    hasEnded = true;
    if (socket.writable) socket.write(goodbye);
  });
  socket.on('data', edge(cut, onData));
  socket.once('end', edge(cut, onLeft));
  socket.once('close', edge(cut, leave));
  if (socket.destroyed) leave();
  else transport.start().catch(() => socket.destroy());
  return leave;
}

function ended(): Error {
  return mcpError('CONNECTION_CLOSED', 'The session ended at the owner before the call reached it.', {
    details: { unsent: true },
  });
}

function refusal(id: string | number, error: unknown): Message {
  const { code, message, details } = normaliseError(error, 'CONNECTION_CLOSED', 'The call was not sent');
  const data = { code, unsent: details['unsent'] === true };
  return errorResponse(id, { code: rpcErrors.serverError, message, data });
}
