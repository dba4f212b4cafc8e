import type { Socket } from 'node:net';
import { pipeline, Transform } from 'node:stream';

const endOfTransmission = 0x04;
const space = 0x20;

/** Says that an owner takes no more from this connection. JSON never contains this byte, so it is found at once. */
export const goodbye = String.fromCharCode(endOfTransmission, 0x0a);

/**
 * What an owner writes, without its goodbye. At that our side of the connection is ended, so that the next message takes
 * another way, while what the owner was sent before is still answered.
 */
export function untilGoodbye(socket: Socket): Transform {
  const output = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const at = chunk.indexOf(endOfTransmission);
      if (at >= 0) {
        chunk[at] = space;
        socket.end();
      }
      done(null, chunk);
    },
  });
  // Whoever reads hears of an error by the output.
  pipeline(socket, output, () => undefined);
  return output;
}
