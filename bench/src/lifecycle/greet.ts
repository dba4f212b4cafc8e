import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '0.0.0' },
  },
});
const pollMs = 5;

/** Sends `initialize` and resolves with the first answer. */
export async function greetOverStdio(
  input: NodeJS.WritableStream,
  output: NodeJS.ReadableStream,
): Promise<void> {
  const lines = createInterface({ input: output });
  input.write(`${initialize}\n`);
  for await (const line of lines) if (line.includes('"result"')) return;
  throw new Error('The server closed its output before it answered initialize.');
}

/** Sends `initialize` until somebody listens there and answers. */
export async function greetOverHTTP(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: initialize,
        signal,
      });
      const text = await body.text();
      if (statusCode === 200 && text.includes('"result"')) return;
      throw new Error(`The server answered initialize with status ${statusCode}: ${text}`);
    } catch (error) {
      if (signal.aborted || !isNotYetListening(error)) throw error;
      await delay(pollMs, undefined, { signal });
    }
  }
}

function isNotYetListening(error: unknown): boolean {
  return (
    error instanceof Error &&
    /ECONNREFUSED|ECONNRESET|EHOSTUNREACH|other side closed/u.test(
      `${error.message} ${String(Reflect.get(error, 'code'))}`,
    )
  );
}
