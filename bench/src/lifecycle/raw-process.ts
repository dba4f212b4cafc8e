import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '@mcpinfra/tools';
import { greetOverHTTP, greetOverStdio } from './greet.js';
import type { Life, Transport } from './life.js';

interface RawServer {
  readonly transport: Transport;
  readonly signal: AbortSignal;
}

/** Lives the life of a server that is started by `spawn` alone. */
export async function liveRawProcess(
  command: readonly [string, ...string[]],
  server: RawServer,
): Promise<Life> {
  let child: ChildProcessWithoutNullStreams | undefined;
  try {
    const startedMs = performance.now();
    child = await serve(command, server);
    const readyMs = performance.now() - startedMs;

    const exited = once(child, 'exit', { signal: server.signal });
    const killedMs = performance.now();
    child.kill('SIGKILL');
    await exited;
    const crashSeenMs = performance.now() - killedMs;
    child = await serve(command, server);
    return { readyMs, crashSeenMs, crashServingMs: performance.now() - killedMs };
  } finally {
    child?.kill('SIGKILL');
  }
}

/** Starts a server and waits for its first answer. */
async function serve(
  [program, ...args]: readonly [string, ...string[]],
  { transport, signal }: RawServer,
): Promise<ChildProcessWithoutNullStreams> {
  const { PATH, HOME } = process.env;
  const port = transport === 'http' ? await freePort() : undefined;
  const env = { PATH, HOME, ...(port === undefined ? {} : { PORT: String(port) }) };
  const child = spawn(program, args, { env, detached: true });
  try {
    child.stderr.resume();
    if (port === undefined) await greetOverStdio(child.stdin, child.stdout);
    else await greetOverHTTP(`http://127.0.0.1:${port}/mcp`, signal);
    return child;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
