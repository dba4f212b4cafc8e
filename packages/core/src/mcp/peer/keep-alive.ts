import { inSeconds } from '../../domain/in-seconds.js';
import type { Socket } from 'node:net';
import { edge } from '../../async/edge.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Clock } from '../../ports/clock.js';

const beatEveryMs = 5_000;
const silenceMs = 15_000;

/**
 * Writes an empty line now and then, which no reader of lines takes for anything, and breaks the connection when nothing
 * came from the other side for too long: a machine that lost its network says no goodbye, and TCP notices only in a
 * quarter of an hour that nobody confirms.
 */
export function keepAlive(socket: Socket, clock: Clock): void {
  let read = socket.bytesRead;
  let heardMs = clock.monotonicMs();
  let cancel: () => void;
  const cut = (): void => void socket.destroy();
  const beat = edge(cut, (): void => {
    const nowMs = clock.monotonicMs();
    // While we do not read ourselves, silence says nothing about the other side.
    if (socket.bytesRead !== read || socket.isPaused() || socket.readableLength > 0) {
      read = socket.bytesRead;
      heardMs = nowMs;
    }
    if (nowMs - heardMs >= silenceMs) {
      const silence = `Nothing came from the other process for ${inSeconds(silenceMs)}`;
      socket.destroy(mcpError('CONNECTION_CLOSED', `${silence}, so the connection to it was given up.`));
      return;
    }
    if (socket.writable && socket.writableLength === 0) socket.write('\n');
    cancel = clock.schedule(beatEveryMs, beat);
  });
  cancel = clock.schedule(beatEveryMs, beat);
  socket.once(
    'close',
    edge(cut, () => cancel()),
  );
}
