import { connect, createServer } from 'node:net';
import { mcpError, messageOf } from '@mcpinfra/core/plugin';

// Ports above 1023 that fetch refuses to talk to (Fetch standard, "bad port").
const refusedByFetch = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
]);

/** Finds a loopback port nobody listens on, none of those that were given away already. */
export async function findFreePort(givenAway: ReadonlySet<number>): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = await bindOnce(0);
    if (!refusedByFetch.has(port) && !givenAway.has(port)) return port;
  }
  throw mcpError(
    'PROVIDER_FAILED',
    'Expected a free port on 127.0.0.1 and found none in 100 tries; set json_spec.port.',
  );
}

/** Tells whether a loopback port is taken by somebody who listens on it. */
export async function isPortTaken(port: number): Promise<boolean> {
  try {
    await bindOnce(port);
    return false;
  } catch (thrown) {
    // Anything else, such as a port below 1024, may well be open to the server.
    return (thrown as NodeJS.ErrnoException).code === 'EADDRINUSE';
  }
}

/** Tells whether somebody accepts connections on a loopback port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (listening: boolean) => (): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.setTimeout(1_000, answer(false));
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}

function bindOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(mcpError('INTERNAL', `Expected a port after listening, got ${messageOf(address)}.`));
      });
    });
  });
}
