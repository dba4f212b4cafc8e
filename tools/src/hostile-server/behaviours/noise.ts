import type { Behaviour } from '../behaviour.js';
import { isCall } from '../message.js';
import type { HostileOptions } from '../options.js';
import { answerPolitely, failure, politeAnswer, success, textResult } from '../polite-answer.js';

export function floodStderr({ bytes = Infinity }: HostileOptions): Behaviour {
  const line = `${'flood '.repeat(170)}\n`;
  const block = line.repeat(64);
  let written = 0;
  const flood = () => {
    if (written >= bytes) return;
    process.stderr.write(block);
    written += block.length;
    // Some 50 MB a second: enough to fill any pipe, and little enough to read the answers in between.
    setTimeout(flood, 1);
  };
  return { start: flood };
}

export function garbage(): Behaviour {
  const invalidUtf8 = Uint8Array.of(0xff, 0xfe, 0xc3, 0x28, 0x0a);
  return {
    receive(message, port) {
      const answer = politeAnswer(message);
      if (answer === undefined) return;
      port.raw('Server running on stdio\n');
      port.raw('{"jsonrpc":"2.0","id":\n');
      port.raw(invalidUtf8);
      port.raw('\n42\n');
      port.send(answer);
    },
  };
}

export function huge({ bytes = 50 << 20 }: HostileOptions): Behaviour {
  return {
    receive(message, port) {
      if (isCall(message)) port.send(success(message, textResult('x'.repeat(bytes))));
      else answerPolitely(message, port);
    },
  };
}

export function leakSecret(): Behaviour {
  const everything = Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`);
  return {
    start() {
      process.stderr.write(`starting with ${everything.join(' ')}\n`);
    },
    receive(message, port) {
      if (isCall(message)) port.send(failure(message, -32_603, `failed with ${everything.join(' ')}`));
      else answerPolitely(message, port);
    },
  };
}
