import { createInterface } from 'node:readline';
import type { Behaviour, Port } from './behaviour.js';
import { parseMessages } from './message.js';
import { answerPolitely } from './polite-answer.js';

/** Speaks JSON-RPC, one message a line, on stdin and stdout. */
export function serveStdio(behaviour: Behaviour): void {
  const port: Port = {
    raw: (bytes) => void process.stdout.write(bytes),
    send: (message) => void process.stdout.write(`${JSON.stringify(message)}\n`),
  };
  const receive = behaviour.receive ?? answerPolitely;
  behaviour.opened?.(port);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    for (const message of parseMessages(line)) void receive(message, port);
  });
  lines.on('close', () => {
    if (behaviour.outlivesStdin !== true) process.exit(0);
    process.stderr.write('stdin ended: ignored\n');
  });
  // A client that closed the pipe first: there is nobody left to tell.
  process.stdout.on('error', () => undefined);
}
