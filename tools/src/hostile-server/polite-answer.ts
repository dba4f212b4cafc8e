import type { Port } from './behaviour.js';
import { isRequest, type Message, type Request } from './message.js';

const knownVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

const echo = {
  name: 'echo',
  description: 'Returns its text.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
};

/** What a well-behaved server of the legacy era with the one tool `echo` answers; nothing for what is no request. */
export function politeAnswer(message: Message): Message | undefined {
  if (!isRequest(message)) return undefined;
  switch (message.method) {
    case 'initialize':
      return success(message, {
        protocolVersion: agreeOn(message.params?.['protocolVersion']),
        capabilities: { tools: {} },
        serverInfo: { name: 'mcpinfra-hostile', version: '1.0.0' },
      });
    case 'ping':
      return success(message, {});
    case 'tools/list':
      return success(message, { tools: [echo] });
    case 'tools/call':
      return callEcho(message);
    default:
      return failure(message, -32_601, 'Method not found');
  }
}

/** Answers what a well-behaved server would answer. */
export function answerPolitely(message: Message, port: Port): void {
  const answer = politeAnswer(message);
  if (answer !== undefined) port.send(answer);
}

export function success({ id }: Request, result: object): Message {
  return { jsonrpc: '2.0', id, result };
}

export function failure({ id }: Request, code: number, message: string): Message {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

/** A tool result of one text. */
export function textResult(text: string): object {
  return { content: [{ type: 'text', text }] };
}

function callEcho(request: Request): Message {
  const name = request.params?.['name'];
  if (name !== 'echo') return failure(request, -32_602, `Tool ${String(name)} not found`);
  const { text } = { text: '', ...(request.params?.['arguments'] as object | undefined) };
  return success(request, textResult(text));
}

function agreeOn(version: unknown): string {
  return knownVersions.find((known) => known === version) ?? '2025-11-25';
}
