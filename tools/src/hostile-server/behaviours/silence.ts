import { setTimeout as delay } from 'node:timers/promises';
import type { Behaviour } from '../behaviour.js';
import { isRequest } from '../message.js';
import type { HostileOptions } from '../options.js';
import { answerPolitely, politeAnswer } from '../polite-answer.js';

const never = new Promise<never>(() => undefined);

export function hangOnStart(): Behaviour {
  return { receive: () => never };
}

export function hangAfter({ after = 1 }: HostileOptions): Behaviour {
  let answered = 0;
  return {
    receive(message, port) {
      if (!isRequest(message)) return undefined;
      if (answered === after) return never;
      answered += 1;
      answerPolitely(message, port);
      return undefined;
    },
  };
}

export function late({ ms = 1000 }: HostileOptions): Behaviour {
  return {
    async receive(message, port) {
      const answer = politeAnswer(message);
      if (answer === undefined) return;
      await delay(ms);
      port.send(answer);
    },
  };
}

export function slowStart({ ms = 1000 }: HostileOptions): Behaviour {
  return { start: () => delay(ms) };
}
