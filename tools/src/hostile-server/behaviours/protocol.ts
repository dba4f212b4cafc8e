import type { Behaviour, Port } from '../behaviour.js';
import { isCall, isRequest, type Message, type Request } from '../message.js';
import { answerPolitely, failure, politeAnswer, success, textResult } from '../polite-answer.js';

const news: Message = {
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: 'listening on nothing' },
};

export function reuseIds(): Behaviour {
  return {
    receive(message, port) {
      const answer = politeAnswer(message);
      if (!isRequest(message) || answer === undefined) return;
      port.send({ jsonrpc: '2.0', id: message.id, method: 'ping' });
      port.send({ jsonrpc: '2.0', id: 'never-asked', result: {} });
      port.send(answer);
      port.send(success(message, textResult('a second answer')));
    },
  };
}

export function batch(): Behaviour {
  return {
    receive(message, port) {
      const answer = politeAnswer(message);
      if (answer !== undefined) port.send([news, answer]);
    },
  };
}

export function wrongVersion(): Behaviour {
  return {
    receive(message, port) {
      const answer = politeAnswer(message);
      if (answer === undefined) return;
      if (message.method !== 'initialize') port.send(answer);
      else port.send({ ...answer, result: { ...(answer.result as object), protocolVersion: '1999-12-31' } });
    },
  };
}

export function noTools(): Behaviour {
  return {
    receive(message, port) {
      const answer = politeAnswer(message);
      if (!isRequest(message) || answer === undefined) return;
      if (message.method.startsWith('tools/')) port.send(failure(message, -32_601, 'Method not found'));
      else if (message.method !== 'initialize') port.send(answer);
      else port.send({ ...answer, result: { ...(answer.result as object), capabilities: {} } });
    },
  };
}

export function stdioThoughPort(): Behaviour {
  return { opened: (port) => port.send(news) };
}

/** Each request for sampling has an id of its own; that of a call is answered before the call is. */
export function serverRequests(): Behaviour {
  const calls = new Map<string, Request>();
  return {
    receive(message, port) {
      if (message.method === 'notifications/initialized') {
        port.send(sampling('unrelated'));
      } else if (isCall(message)) {
        const id = `call-${calls.size}`;
        calls.set(id, message);
        port.send(sampling(id));
      } else if (message.method === undefined) {
        answerCall(calls.get(String(message.id)), message, port);
      } else {
        answerPolitely(message, port);
      }
    },
  };
}

function sampling(id: string): Message {
  const messages = [{ role: 'user', content: { type: 'text', text: `for ${id}` } }];
  return { jsonrpc: '2.0', id, method: 'sampling/createMessage', params: { messages, maxTokens: 10 } };
}

function answerCall(call: Request | undefined, { result, error }: Message, port: Port): void {
  const outcome = error === undefined ? `result ${JSON.stringify(result)}` : `error ${JSON.stringify(error)}`;
  if (call === undefined) process.stderr.write(`unrelated: ${outcome}\n`);
  else port.send(success(call, textResult(outcome)));
}
