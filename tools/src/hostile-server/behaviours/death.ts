import type { Behaviour } from '../behaviour.js';
import { isCall, isRequest } from '../message.js';
import type { HostileOptions } from '../options.js';
import { answerPolitely } from '../polite-answer.js';

export function exitAtOnce({ code = 1 }: HostileOptions): Behaviour {
  return {
    start() {
      process.stderr.write('fatal: cannot open the configuration\nfatal: giving up\n');
      process.exit(code);
    },
  };
}

export function crashAfter({ after = 1 }: HostileOptions): Behaviour {
  let calls = 0;
  return {
    receive(message, port) {
      if (isCall(message) && calls++ === after) {
        process.kill(process.pid, 'SIGKILL');
        // Reached only by process 1 of a container, which the kernel does not let kill itself.
        process.exit(137);
      }
      answerPolitely(message, port);
    },
  };
}

export function exitOnUnknown({ code = 1 }: HostileOptions): Behaviour {
  let initialized = false;
  return {
    receive(message, port) {
      initialized ||= message.method === 'initialize';
      if (isRequest(message) && !initialized) {
        process.stderr.write(`error: expected initialize, got ${message.method}\n`);
        process.exit(code);
      }
      answerPolitely(message, port);
    },
  };
}

/** The limit is for a machine that has none: enough to meet any container's, not enough to take a large host down. */
export function oom({ bytes = 16 * 2 ** 30 }: HostileOptions): Behaviour {
  const ballast: Buffer[] = [];
  const step = 16 << 20;
  const grow = () => {
    if (ballast.length * step >= bytes) {
      process.stderr.write(`holding ${ballast.length * step} bytes\n`);
      return;
    }
    // Filled, because untouched pages of a zeroed buffer count against no limit.
    ballast.push(Buffer.alloc(step, 1));
    setImmediate(grow);
  };
  return { start: grow };
}
