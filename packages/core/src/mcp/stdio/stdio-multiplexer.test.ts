import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { systemClock } from '../../runtime/system-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import { CallCounter } from '../call-counter.js';
import type { JSONObject, Message, Request, Response } from '../json-rpc.js';
import type { MuxSession } from './mux-session.js';
import { StdioMultiplexer } from './stdio-multiplexer.js';

/** The other end of the streams. */
class FakeServer {
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  readonly received: Record<string, unknown>[] = [];
  raw = '';
  closes = 0;
  readonly channel = { input: this.input, output: this.output, close: () => void (this.closes += 1) };

  constructor() {
    this.input.on('data', (chunk: Buffer) => {
      this.raw += chunk.toString();
      for (const line of chunk.toString().split('\n')) {
        if (line !== '') this.received.push(JSON.parse(line) as Record<string, unknown>);
      }
    });
  }

  /** The newest request of a method. */
  async request(method: string): Promise<Request> {
    return vi.waitFor(() => {
      const found = this.received.findLast((message) => message['method'] === method);
      if (found === undefined) throw new Error(`no ${method} among ${JSON.stringify(this.received)}`);
      return found as unknown as Request;
    });
  }

  send(message: object): void {
    this.output.write(`${JSON.stringify(message)}\n`);
  }

  answer({ id }: Request, result: JSONObject = {}): void {
    this.send({ jsonrpc: '2.0', id, result });
  }

  notify(method: string, params?: JSONObject): void {
    this.send({ jsonrpc: '2.0', method, params });
  }
}

/** What a session hears. */
function listen(session: MuxSession) {
  const heard: Message[] = [];
  session.onmessage = (message) => void heard.push(message as unknown as Message);
  const closed = vi.fn();
  session.onclose = closed;
  const answer = (id: string | number): Promise<Response> =>
    vi.waitFor(() => {
      const found = heard.find((message) => !('method' in message) && message.id === id);
      if (found === undefined) throw new Error(`no answer to ${JSON.stringify(id)}`);
      return found as Response;
    });
  return { heard, closed, answer };
}

const hello = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'fake', version: '1' },
};

describe('StdioMultiplexer', () => {
  let server: FakeServer;
  let mux: StdioMultiplexer;
  let counter: CallCounter;
  let toolsChanged: Mock<() => void>;

  const open = () => {
    const session = mux.openSession();
    return { session, ...listen(session) };
  };
  const ask = (session: MuxSession, id: string | number, ...[method, params]: [string, JSONObject?]) =>
    session.send({ jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) });
  const tell = (session: MuxSession, method: string, params: JSONObject) =>
    session.send({ jsonrpc: '2.0', method, params });
  const sees = <T>(expectation: () => T) => vi.waitFor(expectation);
  /** Whatever the server sent before has been routed when this has come back. */
  const flushed = async () => {
    const id = `flush-${Math.random()}`;
    const { session, answer } = open();
    await ask(session, id, 'flush');
    server.answer(await server.request('flush'));
    await answer(id);
    await session.close();
  };

  const create = (maxMessageBytes = 1024 * 1024, wasUsed?: boolean) => {
    server = new FakeServer();
    counter = new CallCounter();
    toolsChanged = vi.fn<() => void>();
    mux = new StdioMultiplexer({
      channel: { ...server.channel, wasUsed },
      clock: systemClock,
      logger: recordingLogger(),
      identity: { name: 'mcpinfra', version: '0.0.0' },
      counter,
      maxMessageBytes,
      onBytes: () => undefined,
      onToolsChanged: toolsChanged,
    });
    mux.greeted({ era: 'legacy', initializeResult: hello });
  };
  beforeEach(() => create());

  it('writes nothing to a new server before its first message', async () => {
    expect(server.raw).toBe('');
    const { session } = open();
    await ask(session, 'a', 'tools/list');
    await server.request('tools/list');
    expect(server.raw).toBe('{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n');
  });

  describe('on a channel that was used before', () => {
    /** What a server got whose last writer left so much of a line. */
    const linesAfter = async (left: string) => {
      create(1024 * 1024, true);
      const { session } = open();
      await ask(session, 1, 'tools/list');
      await server.request('tools/list');
      const lines = (left + server.raw).split('\n').slice(0, -1);
      return lines.map((line) => {
        try {
          return JSON.parse(line) as { readonly id?: unknown; readonly method?: string };
        } catch {
          return 'no JSON';
        }
      });
    };

    it.each([
      'x',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"to":"a',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call"}',
    ])('makes the half line %s one line that is refused, and spoils no message of ours', async (left) => {
      const [first, ...rest] = await linesAfter(left);
      expect(first).toBe('no JSON');
      expect(rest).toMatchObject([{ method: 'tools/list' }]);
    });

    it('writes no empty line where the last line was whole, but a message that needs no answer', async () => {
      const [first, ...rest] = await linesAfter('');
      expect(first).toMatchObject({ method: 'notifications/cancelled' });
      expect(first).not.toHaveProperty('id');
      expect(rest).toMatchObject([{ method: 'tools/list' }]);
    });

    it('counts on from a number of its own, so that answers to the calls of another are not taken', async () => {
      const firsts = new Set<unknown>();
      for (let n = 0; n < 3; n += 1) {
        create(1024 * 1024, true);
        const { session, heard, answer } = open();
        await ask(session, 1, 'tools/list');
        const { id } = await server.request('tools/list');
        expect(Number.isInteger(id) && Number(id) > 1_000 && Number(id) < 2 ** 31).toBe(true);
        for (const other of [0, 1, 2, 3]) server.send({ jsonrpc: '2.0', id: other, result: { other } });
        server.send({ jsonrpc: '2.0', id, result: {} });
        expect((await answer(1)).result).toEqual({});
        expect(heard).toHaveLength(1);
        firsts.add(id);
      }
      expect(firsts.size).toBe(3);
    });
  });

  describe('ids', () => {
    it('gives 1 and "1" of one session back as they came', async () => {
      const { session, answer } = open();
      await ask(session, 1, 'tools/list');
      const first = await server.request('tools/list');
      await ask(session, '1', 'tools/call', { name: 'a' });
      const second = await server.request('tools/call');
      server.answer(second, { which: 'text' });
      server.answer(first, { which: 'number' });
      expect((await answer('1')).result).toEqual({ which: 'text' });
      expect((await answer(1)).result).toEqual({ which: 'number' });
    });

    it('never uses an id towards the server twice; all are integers', async () => {
      const seen = new Set<unknown>();
      const { session, answer } = open();
      for (let id = 0; id < 20; id += 1) {
        await ask(session, 0, 'tools/list');
        const request = await server.request('tools/list');
        expect(seen.has(request.id)).toBe(false);
        expect(request.id).toSatisfy(Number.isInteger);
        seen.add(request.id);
        server.received.length = 0;
        server.answer(request);
        await answer(0);
        await sees(() => expect(counter.inFlight).toBe(0));
      }
    });

    it('takes an answer whose id came back as text, as the official client does', async () => {
      const { session, answer } = open();
      await ask(session, 'a', 'tools/list');
      const { id } = await server.request('tools/list');
      server.send({ jsonrpc: '2.0', id: String(id), result: {} });
      expect((await answer('a')).result).toEqual({});
    });

    it('drops answers that come twice, late, unasked or without an id', async () => {
      const { session, heard, answer } = open();
      await ask(session, 7, 'tools/list');
      const request = await server.request('tools/list');
      server.answer(request, { n: 1 });
      server.answer(request, { n: 2 });
      server.answer({ ...request, id: 7 }, { n: 3 });
      server.send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } });
      await answer(7);
      await flushed();
      expect(heard).toEqual([{ jsonrpc: '2.0', id: 7, result: { n: 1 } }]);
    });

    it('refuses an id the session has in flight already', async () => {
      const { session, answer } = open();
      await ask(session, 1, 'tools/list');
      await ask(session, 1, 'tools/list');
      expect((await answer(1)).error).toMatchObject({ code: -32600 });
    });

    it('hands every answer to the session that asked, in any order', async () => {
      const step = fc.record({ session: fc.nat(2), id: fc.oneof(fc.nat(3), fc.constantFrom('0', '1', '')) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 15 }),
          fc.infiniteStream(fc.nat()),
          async (steps, order) => {
            create();
            const sessions = [open(), open(), open()];
            const asked = new Map<string, (typeof steps)[number]>();
            for (const one of steps) {
              const key = JSON.stringify(one);
              if (asked.has(key)) continue;
              asked.set(key, one);
              await ask(sessions[one.session]!.session, one.id, 'tools/call', { key });
            }
            const pending = await sees(() => {
              const calls = server.received.filter((message) => message['method'] === 'tools/call');
              expect(calls).toHaveLength(asked.size);
              return calls as unknown as Request[];
            });
            while (pending.length > 0) {
              const [request] = pending.splice((order.next().value as number) % pending.length, 1);
              server.answer(request!, { key: request!.params!['key'] });
            }
            await flushed();
            for (const [index, { heard }] of sessions.entries()) {
              const expected = [...asked].filter(([, one]) => one.session === index);
              expect(heard).toHaveLength(expected.length);
              for (const [key, one] of expected) {
                expect(heard).toContainEqual({ jsonrpc: '2.0', id: one.id, result: { key } });
              }
            }
          },
        ),
        { numRuns: 40 },
      );
    });
  });

  describe('what a server writes', () => {
    it('splits batches', async () => {
      const { session, heard, answer } = open();
      await ask(session, 1, 'tools/list');
      const { id } = await server.request('tools/list');
      server.send([
        { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
        { jsonrpc: '2.0', id, result: {} },
      ]);
      await answer(1);
      expect(heard).toHaveLength(2);
    });

    it('skips log lines, half messages and JSON that is no JSON-RPC', async () => {
      const { session, heard, answer } = open();
      await ask(session, 1, 'tools/list');
      const request = await server.request('tools/list');
      server.output.write('Server started\r\n{"jsonrpc":"2.0","id":\n');
      server.output.write('{"level":"info","method":"GET","id":1}\n42\nnull\n[[]]\n');
      server.output.write(Buffer.from([0xff, 0xfe, 0x0a]));
      server.output.write(`${JSON.stringify({ jsonrpc: '2.0', id: request.id, result: {} })}\r\n`);
      await answer(1);
      expect(heard).toHaveLength(1);
    });

    it('answers a ping of the server itself', async () => {
      server.send({ jsonrpc: '2.0', id: 'p', method: 'ping' });
      await sees(() => expect(server.received).toContainEqual({ jsonrpc: '2.0', id: 'p', result: {} }));
    });

    it('refuses any other request of the server, and no session hears of it', async () => {
      const { heard } = open();
      server.send({ jsonrpc: '2.0', id: 0, method: 'sampling/createMessage', params: {} });
      await sees(() => expect(server.received.at(-1)).toMatchObject({ id: 0, error: { code: -32601 } }));
      expect(heard).toEqual([]);
    });

    it('gives up the channel at a message beyond the limit', async () => {
      create(1_000);
      const { session, answer, closed } = open();
      await ask(session, 1, 'tools/call', { name: 'a' });
      server.send({ jsonrpc: '2.0', id: 'x', result: { text: 'x'.repeat(2_000) } });
      expect((await answer(1)).error?.data).toEqual({ code: 'MESSAGE_TOO_LARGE' });
      expect(closed).toHaveBeenCalledOnce();
      expect(mux.ended).toBe(true);
      expect(server.closes).toBe(1);
    });
  });

  describe('initialize of a session', () => {
    const initialize = (capabilities: JSONObject) => ({
      protocolVersion: '2025-06-18',
      capabilities,
      clientInfo: {},
    });

    it('is answered from the first one, and the server hears nothing', async () => {
      const { session, answer } = open();
      await ask(session, 0, 'initialize', initialize({}));
      await tell(session, 'notifications/initialized', {});
      expect((await answer(0)).result).toEqual(hello);
      expect(server.received).toEqual([]);
    });

    it.each(['sampling', 'elicitation', 'roots'])('is refused when it asks for %s', async (capability) => {
      const { session, answer } = open();
      await ask(session, 0, 'initialize', initialize({ [capability]: {} }));
      expect((await answer(0)).error).toMatchObject({
        code: -32602,
        message: expect.stringContaining(capability) as string,
      });
    });

    it('is not repeated by a probe for the modern era', async () => {
      const { session, answer } = open();
      await ask(session, 0, 'server/discover');
      expect((await answer(0)).error?.code).toBe(-32601);
      expect(server.received).toEqual([]);
    });
  });

  describe('progress', () => {
    it.each([0, '', 'token', 5])(
      'with the token %j reaches the session that gave it, and no other',
      async (token) => {
        const [one, other] = [open(), open()];
        await ask(one.session, 1, 'tools/call', { name: 'a', _meta: { progressToken: token, kept: true } });
        const request = await server.request('tools/call');
        const meta = request.params?.['_meta'] as JSONObject;
        expect(meta).toEqual({ progressToken: request.id, kept: true });
        server.notify('notifications/progress', { progressToken: meta['progressToken'], progress: 1 });
        server.answer(request);
        await one.answer(1);
        expect(one.heard[0]).toMatchObject({ params: { progressToken: token, progress: 1 } });
        expect(other.heard).toEqual([]);
      },
    );

    it('with a token nobody gave is dropped', async () => {
      const { heard } = open();
      server.notify('notifications/progress', { progressToken: 0, progress: 1 });
      await flushed();
      expect(heard).toEqual([]);
    });
  });

  describe('cancelling', () => {
    it('translates the id, and drops what the server still answers', async () => {
      const { session, heard } = open();
      await ask(session, 1, 'tools/call', { name: 'a' });
      const request = await server.request('tools/call');
      await tell(session, 'notifications/cancelled', { requestId: 1, reason: 'enough' });
      const cancelled = await server.request('notifications/cancelled');
      expect(cancelled.params).toEqual({ requestId: request.id, reason: 'enough' });
      server.answer(request);
      await flushed();
      expect(heard).toEqual([]);
      expect(counter.inFlight).toBe(0);
    });

    it('of a call of another session does nothing', async () => {
      const [one, other] = [open(), open()];
      await ask(one.session, 1, 'tools/call', { name: 'a' });
      await tell(other.session, 'notifications/cancelled', { requestId: 1 });
      server.answer(await server.request('tools/call'));
      await one.answer(1);
      expect(server.received.some((message) => message['method'] === 'notifications/cancelled')).toBe(false);
    });

    it('happens to all calls of a session that closes, and to no others', async () => {
      const [one, other] = [open(), open()];
      await ask(one.session, 1, 'tools/call', { name: 'a' });
      const leaving = await server.request('tools/call');
      await ask(other.session, 1, 'prompts/get', {});
      const staying = await server.request('prompts/get');
      expect(counter.inFlight).toBe(2);
      await one.session.close();
      expect(one.closed).toHaveBeenCalledOnce();
      expect((await server.request('notifications/cancelled')).params).toMatchObject({
        requestId: leaving.id,
      });
      expect(counter.inFlight).toBe(1);
      server.answer(staying);
      await other.answer(1);
      await expect(ask(one.session, 2, 'tools/list')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    });

    it('happens to a call of ours that is aborted', async () => {
      const abort = new AbortController();
      const asked = mux.request('ping', {}, abort.signal);
      const { id } = await server.request('ping');
      abort.abort();
      await expect(asked).rejects.toMatchObject({ code: 'ABORTED' });
      expect((await server.request('notifications/cancelled')).params).toMatchObject({ requestId: id });
    });
  });

  describe('subscriptions to resources', () => {
    const uri = 'test://a';
    const subscribe = async ({ session, answer }: ReturnType<typeof open>, id: number) => {
      server.received.length = 0;
      await ask(session, id, 'resources/subscribe', { uri });
      server.answer(await server.request('resources/subscribe'));
      await answer(id);
    };

    it('are heard by subscribers only, also of a part of what they subscribed to', async () => {
      const [one, other] = [open(), open()];
      await subscribe(one, 1);
      one.heard.length = 0;
      server.notify('notifications/resources/updated', { uri });
      server.notify('notifications/resources/updated', { uri: `${uri}/part` });
      server.notify('notifications/resources/updated', { uri: `${uri}other` });
      await flushed();
      expect(one.heard).toHaveLength(2);
      expect(other.heard).toEqual([]);
    });

    it('end at the server when the last subscriber unsubscribes', async () => {
      const [one, other] = [open(), open()];
      await subscribe(one, 1);
      await subscribe(other, 1);
      server.received.length = 0;
      await ask(one.session, 2, 'resources/unsubscribe', { uri });
      expect((await one.answer(2)).result).toEqual({});
      expect(server.received).toEqual([]);
      await ask(other.session, 2, 'resources/unsubscribe', { uri });
      expect((await server.request('resources/unsubscribe')).params).toEqual({ uri });
    });

    it('end at the server when the last subscriber closes', async () => {
      const [one, other] = [open(), open()];
      await subscribe(one, 1);
      await subscribe(other, 1);
      await one.session.close();
      await flushed();
      expect(server.received.some((message) => message['method'] === 'resources/unsubscribe')).toBe(false);
      await other.session.close();
      expect((await server.request('resources/unsubscribe')).params).toEqual({ uri });
    });

    it('that the server refused are not counted', async () => {
      const { session, answer, heard } = open();
      await ask(session, 1, 'resources/subscribe', { uri });
      const { id } = await server.request('resources/subscribe');
      server.send({ jsonrpc: '2.0', id, error: { code: -32602, message: 'no' } });
      await answer(1);
      heard.length = 0;
      server.notify('notifications/resources/updated', { uri });
      await flushed();
      expect(heard).toEqual([]);
    });
  });

  describe('logging', () => {
    const setLevel = async (session: MuxSession, level: string) => {
      server.received.length = 0;
      await ask(session, level, 'logging/setLevel', { level });
      const request = await server.request('logging/setLevel');
      server.answer(request);
      return request.params?.['level'];
    };

    it('asks the server for the lowest level of all sessions', async () => {
      const [one, other] = [open(), open()];
      expect(await setLevel(one.session, 'warning')).toBe('warning');
      expect(await setLevel(other.session, 'debug')).toBe('debug');
      expect(await setLevel(one.session, 'error')).toBe('debug');
      server.received.length = 0;
      await other.session.close();
      expect((await server.request('logging/setLevel')).params).toEqual({ level: 'error' });
    });

    it('gives each session what it asked for', async () => {
      const [one, other, silent] = [open(), open(), open()];
      await setLevel(one.session, 'warning');
      await setLevel(other.session, 'debug');
      for (const level of ['debug', 'warning', 'emergency'])
        server.notify('notifications/message', { level, data: '' });
      await flushed();
      const levels = ({ heard }: ReturnType<typeof open>) =>
        heard.flatMap((message) => ('method' in message ? [message.params?.['level']] : []));
      expect(levels(one)).toEqual(['warning', 'emergency']);
      expect(levels(other)).toEqual(['debug', 'warning', 'emergency']);
      expect(levels(silent)).toEqual([]);
    });

    it('gives everything to a session that is alone', async () => {
      const { heard } = open();
      server.notify('notifications/message', { level: 'debug', data: '' });
      await sees(() => expect(heard).toHaveLength(1));
    });
  });

  it('tells all sessions, and us, that the tools changed', async () => {
    const [one, other] = [open(), open()];
    server.notify('notifications/tools/list_changed');
    await sees(() => expect(one.heard).toHaveLength(1));
    expect(other.heard).toHaveLength(1);
    expect(toolsChanged).toHaveBeenCalledOnce();
  });

  it('lets a client that throws harm nobody else', async () => {
    const [one, other] = [open(), open()];
    const error = vi.fn();
    one.session.onerror = error;
    one.session.onmessage = () => {
      throw new Error('client broke');
    };
    server.notify('notifications/tools/list_changed');
    await sees(() => expect(other.heard).toHaveLength(1));
    expect(error).toHaveBeenCalledOnce();
  });

  describe('when the channel ends', () => {
    it.each([
      ['its output ends', (fake: FakeServer) => void fake.output.end()],
      ['its output fails', (fake: FakeServer) => void fake.output.destroy(new Error('gone'))],
      ['its input fails', (fake: FakeServer) => void fake.input.destroy(new Error('EPIPE'))],
    ])('because %s, fails what is in flight and closes all sessions', async (_, end) => {
      const { session, answer, closed } = open();
      await ask(session, 1, 'tools/call', { name: 'a' });
      await ask(session, 2, 'tools/list');
      const own = mux.request('ping', {});
      end(server);
      await expect(own).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
      expect((await answer(1)).error?.data).toEqual({ code: 'OUTCOME_UNKNOWN' });
      expect((await answer(2)).error?.data).toEqual({ code: 'CONNECTION_CLOSED' });
      expect(closed).toHaveBeenCalledOnce();
      expect(counter.inFlight).toBe(0);
      expect(server.closes).toBe(1);
      await expect(ask(session, 3, 'tools/list')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
      await expect(mux.request('ping', {})).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    });

    it('before it is attached to, says so at once', async () => {
      const gone = new FakeServer();
      gone.output.destroy();
      const options = {
        clock: systemClock,
        logger: recordingLogger(),
        identity: { name: 'x', version: '0' },
      };
      const late = new StdioMultiplexer({
        ...options,
        channel: gone.channel,
        counter,
        maxMessageBytes: 1_000,
        onBytes: () => undefined,
        onToolsChanged: () => undefined,
      });
      await expect(late.request('ping', {})).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    });

    it('still takes an answer that has no line end', async () => {
      const { session, answer } = open();
      await ask(session, 1, 'tools/list');
      const { id } = await server.request('tools/list');
      server.output.end(JSON.stringify({ jsonrpc: '2.0', id, result: { last: true } }));
      expect((await answer(1)).result).toEqual({ last: true });
    });

    it('can be closed twice, without ending the streams', () => {
      mux.close();
      mux.close();
      expect(server.closes).toBe(1);
      expect(server.input.writableEnded).toBe(false);
      expect(server.output.destroyed).toBe(false);
    });
  });

  it('counts the calls of sessions only, not pings and not our own', async () => {
    const { session } = open();
    await ask(session, 1, 'ping');
    void mux.request('tools/list', {}).catch(() => undefined);
    expect(counter.inFlight).toBe(0);
    await ask(session, 2, 'tools/list');
    expect(counter.inFlight).toBe(1);
    server.answer(await server.request('ping'));
    mux.close();
    expect(counter.inFlight).toBe(0);
  });

  describe('in the modern era', () => {
    const subscriptionId = 'io.modelcontextprotocol/subscriptionId';
    beforeEach(() => mux.greeted({ era: 'modern' }));

    it('rewrites the ids of subscriptions, whatever their type', async () => {
      const [one, other] = [open(), open()];
      await ask(one.session, 'listen:0', 'subscriptions/listen', {
        notifications: { toolsListChanged: true },
      });
      const first = await server.request('subscriptions/listen');
      server.received.length = 0;
      await ask(other.session, 0, 'subscriptions/listen', {});
      const second = await server.request('subscriptions/listen');
      for (const { id } of [first, second]) {
        server.notify('notifications/subscriptions/acknowledged', { _meta: { [subscriptionId]: id } });
      }
      server.notify('notifications/tools/list_changed', { _meta: { [subscriptionId]: first.id } });
      server.answer(first, { _meta: { [subscriptionId]: first.id } });
      expect((await one.answer('listen:0')).result).toEqual({ _meta: { [subscriptionId]: 'listen:0' } });
      expect(one.heard.slice(0, 2)).toEqual([
        expect.objectContaining({ params: { _meta: { [subscriptionId]: 'listen:0' } } }),
        expect.objectContaining({ method: 'notifications/tools/list_changed' }),
      ]);
      expect(other.heard).toEqual([expect.objectContaining({ params: { _meta: { [subscriptionId]: 0 } } })]);
      expect(toolsChanged).toHaveBeenCalledOnce();
      expect(counter.inFlight).toBe(0);
    });

    it('sends what the client says of itself on as it is', async () => {
      const { session } = open();
      const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', progressToken: 0 };
      await ask(session, 1, 'tools/call', { name: 'a', _meta });
      const request = await server.request('tools/call');
      expect(request.params).toEqual({ name: 'a', _meta: { ..._meta, progressToken: request.id } });
    });

    it('refuses initialize without asking the server, which would take it for the end of the era', async () => {
      const { session, answer } = open();
      await ask(session, 1, 'initialize', { protocolVersion: '2025-11-25' });
      expect((await answer(1)).error).toMatchObject({ code: -32022, data: { supported: ['2026-07-28'] } });
      expect(server.received).toEqual([]);
    });

    it('writes no answers to requests of the server', async () => {
      server.send({ jsonrpc: '2.0', id: 1, method: 'roots/list' });
      await flushed();
      expect(server.received.every((message) => 'method' in message)).toBe(true);
    });
  });
});
