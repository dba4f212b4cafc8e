import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PeerSession } from '../../ports/peer-link.js';
import { carrySession } from './carry-session.js';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Two ends of a connection. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ours = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [theirs] = (await once(server, 'connection')) as [Socket];
  server.close();
  sockets.push(ours, theirs);
  return [ours, theirs];
}

describe('an exception while a session is carried', () => {
  const thrower = (): never => {
    throw new RangeError('thrown at the edge');
  };
  const failed = { jsonrpc: '2.0', id: 1, error: { code: -32_000, message: 'no' } } as const;

  it.each<[string, Partial<PeerSession>, (session: PeerSession, peer: Socket) => void]>([
    ['of a scrubber', { scrub: thrower }, ({ transport }) => transport.onmessage?.(failed)],
    ['of a listener for the end', {}, ({ transport }) => transport.onclose?.()],
    ['of a line beyond the limit', {}, (_, peer) => void peer.write('x'.repeat(2_000))],
  ])('%s cuts that connection and nothing else', async (_, parts, provoke) => {
    const [ours, peer] = await pair();
    const close = vi.fn(async () => undefined);
    const transport = { start: async () => undefined, send: async () => undefined, close, onclose: thrower };
    const session: PeerSession = { transport, scrub: (text) => text, ...parts };
    carrySession(session, ours, 1_000);
    const closed = once(ours, 'close');
    provoke(session, peer);
    await closed;
    expect(close).toHaveBeenCalled();
  });
});
