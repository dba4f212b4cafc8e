import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Sends the bytes to a loopback port and returns the first that come back; empty when nobody listens or answers. */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  dial: (port: number, host: string) => Socket = connect,
): Promise<Buffer> {
  const socket = dial(port, '127.0.0.1');
  try {
    socket.write(bytes);
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(1_000) })) as [Buffer];
    return answer;
  } catch {
    return Buffer.alloc(0);
  } finally {
    socket.destroy();
  }
}
