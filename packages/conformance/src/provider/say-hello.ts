import { AssertionError, equal, fail, ok } from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type Dialed, type DialTarget, edge, messageOf, type StdioChannel } from '@mcpinfra/core/plugin';
import type { ProviderBench } from './provider-bench.js';

type DialedOverHTTP = Extract<Dialed, { kind: 'http' }>;

/**
 * Sends `initialize` over the way a provider gives, until it is answered: a server that has just been started may not
 * listen yet.
 */
export async function sayHello(bench: ProviderBench, target: DialTarget): Promise<Dialed> {
  const dialed = await bench.provider.dial(target);
  if (dialed.kind === 'stdio') {
    await bench.within('initialize over stdio', overStdio(dialed.channel));
    return dialed;
  }
  let last: unknown;
  await bench
    .until('initialize is answered', async () => {
      try {
        await bench.within('initialize over HTTP', overHTTP(dialed));
        return true;
      } catch (error) {
        last = error;
        return undefined;
      }
    })
    .catch((error: unknown) => fail(`${messageOf(error)} ${messageOf(last)}`));
  return dialed;
}

function initialize(id: number): object {
  return {
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'conformance', version: '1.0.0' },
    },
  };
}

async function overStdio({ input, output }: StdioChannel): Promise<void> {
  const id = randomInt(2 ** 20, 2 ** 30);
  const lines = new AnswerReader(id);
  const answered = new Promise<void>((resolve, reject) => {
    const onData = edge(reject, (chunk: Buffer | string): void => {
      if (!lines.read(String(chunk))) return;
      output.off('data', onData);
      resolve();
    });
    const onEnd = (): void => {
      reject(new AssertionError({ message: 'The output ended before initialize was answered.' }));
    };
    output.on('data', onData);
    output.once('end', edge(reject, onEnd));
  });
  input.write(`${JSON.stringify(initialize(id))}\n`);
  await answered;
}

async function overHTTP(dialed: DialedOverHTTP): Promise<void> {
  const id = randomInt(2 ** 20, 2 ** 30);
  const { status, chunks, session } = await post(dialed, initialize(id));
  const lines = new AnswerReader(id);
  let said = '';
  let answered = false;
  for await (const chunk of chunks) {
    said += chunk;
    answered = lines.read(chunk);
    if (answered) break;
  }
  answered ||= lines.read('\n');
  equal(status, 200, `initialize was answered with the status ${status}: ${said.slice(0, 500)}`);
  ok(answered, `Expected the answer to initialize, got ${said.slice(0, 500)}`);
  if (session === undefined) return;
  const ended = await post(dialed, undefined, session);
  // An answer that is not read keeps its connection.
  for await (const _ of ended.chunks);
}

/** Finds the answer to a request in lines of JSON, or of an event stream. */
class AnswerReader {
  readonly #id: number;
  #rest = '';

  constructor(id: number) {
    this.#id = id;
  }

  read(text: string): boolean {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.some((line) => this.#isAnswer(line.replace(/^data:/u, '').trim()));
  }

  #isAnswer(line: string): boolean {
    if (!line.startsWith('{') || !line.includes(String(this.#id))) return false;
    const { id, result } = JSON.parse(line) as { readonly id?: unknown; readonly result?: unknown };
    if (id !== this.#id) return false;
    ok(result !== undefined, `Expected a result of initialize, got ${line.slice(0, 500)}`);
    return true;
  }
}

interface Posted {
  readonly status: number;
  readonly chunks: AsyncIterable<string>;
  readonly session: string | undefined;
}

/** Posts a message; without one it ends the session. */
async function post(dialed: DialedOverHTTP, message: object | undefined, session?: string): Promise<Posted> {
  const { url, dispatcher } = dialed;
  const request = {
    method: message === undefined ? ('DELETE' as const) : ('POST' as const),
    headers: {
      accept: 'application/json, text/event-stream',
      ...(message === undefined ? {} : { 'content-type': 'application/json' }),
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
      ...(await dialed.headers()),
    },
    body: message === undefined ? null : JSON.stringify(message),
  };
  if (!dispatcher) {
    const answer = await fetch(url, request);
    const chunks = answer.body?.pipeThrough(new TextDecoderStream()) ?? [];
    return {
      status: answer.status,
      chunks: chunks as AsyncIterable<string>,
      session: answer.headers.get('mcp-session-id') ?? undefined,
    };
  }
  const { origin, pathname, search } = url;
  const answer = await dispatcher.request({ origin, path: pathname + search, ...request });
  answer.body.setEncoding('utf8');
  const given = answer.headers['mcp-session-id'];
  return {
    status: answer.statusCode,
    chunks: answer.body as AsyncIterable<string>,
    session: typeof given === 'string' ? given : undefined,
  };
}
