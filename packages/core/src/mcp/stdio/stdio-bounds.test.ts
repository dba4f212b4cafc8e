import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import { CallCounter } from '../call-counter.js';
import { limits } from '../limits.js';
import { StdioMultiplexer, type StdioMultiplexerOptions } from './stdio-multiplexer.js';

const reads = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
const neverReads = (): Writable => new Writable({ write: () => undefined });

function serve(input: Writable, options: Partial<StdioMultiplexerOptions> = {}) {
  const output = new PassThrough();
  const clock = manualClock();
  const close = vi.fn();
  const logger = recordingLogger();
  const onToolsChanged = vi.fn();
  const mux = new StdioMultiplexer({
    channel: { input, output, close },
    clock,
    logger,
    identity: { name: 'mcpinfra', version: '0.0.0' },
    counter: new CallCounter(),
    onBytes: () => undefined,
    onToolsChanged,
    ...options,
  });
  mux.greeted({ era: 'legacy', initializeResult: {} });
  return { mux, output, clock, close, logger, onToolsChanged };
}

const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`;
const settle = async (): Promise<void> => {
  for (let at = 0; at < 50; at += 1) await turn();
};

describe('a server over stdio that asks and does not read the answers', () => {
  const pings = (count: number): string => line({ id: 'p'.repeat(200), method: 'ping' }).repeat(count);

  it('is not read once too many answers wait, and then loses its connection', async () => {
    const { mux, output, clock } = serve(neverReads());
    const call = mux.request('tools/list', {});
    call.catch(() => undefined);
    for (let sent = 0; sent < 40 && !output.isPaused(); sent += 1) {
      output.write(pings(500));
      await clock.advance(1_000);
    }
    // Held back for longer than for its rate.
    await clock.advance(5_000);
    expect(output.isPaused()).toBe(true);
    expect(mux.ended).toBe(false);
    await clock.advance(limits.notReadingMs);
    expect(mux.ended).toBe(true);
    await expect(call).rejects.toMatchObject({ code: 'SERVER_NOT_READING' });
  });

  it('is read again when it takes its answers after all', async () => {
    const waiting: (() => void)[] = [];
    const slow = new Writable({ write: (_chunk, _encoding, done) => void waiting.push(done) });
    const { mux, output, clock, onToolsChanged } = serve(slow);
    output.write(pings(Math.ceil(limits.outgoingAnswerBytes / 200)));
    output.write(line({ method: 'notifications/tools/list_changed' }));
    await clock.advance(9_000);
    expect(onToolsChanged).not.toHaveBeenCalled();
    for (let done = waiting.shift(); done !== undefined; done = waiting.shift()) {
      done();
      await Promise.resolve();
    }
    await clock.advance(60_000);
    expect(onToolsChanged).toHaveBeenCalledOnce();
    expect(mux.ended).toBe(false);
  });

  it('gets no calls beyond a limit of what waits for it', async () => {
    const { mux } = serve(neverReads());
    const text = 'x'.repeat(1024 * 1024);
    const session = mux.openSession();
    const outcomes: string[] = [];
    for (let id = 0; id < 40; id += 1) {
      session.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { text } }).catch((error: unknown) => {
        outcomes.push((error as { code: string }).code);
      });
    }
    await settle();
    expect(new Set(outcomes)).toEqual(new Set(['SERVER_NOT_READING']));
    expect(outcomes.length).toBeGreaterThan(20);
    mux.close();
  });

  it('gets no answer to a request with an id of absurd size', async () => {
    const write = vi.fn<(chunk: Buffer) => void>();
    const input = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        write(chunk);
        done();
      },
    });
    const { output } = serve(input);
    output.write(line({ id: 'x'.repeat(1_000_000), method: 'ping' }));
    output.write(line({ id: 1, method: 'x'.repeat(1_000_000) }));
    await settle();
    const said = write.mock.calls.map(([chunk]) => chunk.toString()).join('');
    expect(said).toContain('"id":1');
    expect(said.length).toBeLessThan(2_000);
  });
});

describe('a server over stdio that floods', () => {
  it.each([
    ['notifications', line({ method: 'notifications/message', params: { level: 'info', data: 'x' } })],
    ['progress', line({ method: 'notifications/progress', params: { progressToken: 1, progress: 1 } })],
    ['answers nobody asked for', line({ id: 'never-asked', result: {} })],
    ['answers to an id that was used', line({ id: 1, result: {} })],
    ['requests', line({ id: 1, method: 'ping' })],
    ['garbage', 'Server running on stdio\n'],
    ['odd frames', `${JSON.stringify(Array(5_000).fill(1))}\n`],
  ])('with %s is read no faster than so many a second', async (_, flood) => {
    const { mux, output, clock, onToolsChanged, logger } = serve(reads());
    const seconds = 5;
    const cost = 1 + flood.length / limits.unaskedMessageBytes;
    const count = Math.ceil(((2 + seconds) * limits.unaskedPerSecond) / cost);
    // As a pipe hands it over.
    const bytes = Buffer.from(flood.repeat(count));
    for (let at = 0; at < bytes.length; at += 65_536) output.write(bytes.subarray(at, at + 65_536));
    for (let at = 0; at < 3; at += 1) output.write(line({ method: 'notifications/tools/list_changed' }));
    for (let at = 0; at < seconds - 3; at += 1) await clock.advance(1_000);
    expect(onToolsChanged).not.toHaveBeenCalled();
    for (let at = 0; at < 2 * seconds; at += 1) await clock.advance(1_000);
    expect(onToolsChanged).toHaveBeenCalledTimes(3);
    expect(mux.ended).toBe(false);
    expect(logger.lines.length).toBeLessThan(3);
  });

  it('is not held back in its answers', async () => {
    const asked: { id?: string }[] = [];
    const input = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (chunk.length > 1) asked.push(JSON.parse(chunk.toString()) as { id?: string });
        done();
      },
    });
    const { mux, output } = serve(input);
    const answers = Array.from({ length: 3 * limits.unaskedPerSecond }, () => mux.request('tools/list', {}));
    await vi.waitFor(() => expect(asked).toHaveLength(answers.length));
    for (const { id } of asked) output.write(line({ id, result: {} }));
    await expect(Promise.all(answers)).resolves.toHaveLength(answers.length);
    mux.close();
  });
});

describe('an answer over stdio of several megabytes', () => {
  const answering = (input: { id?: string }[]): Writable =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (chunk.length > 1) input.push(JSON.parse(chunk.toString()) as { id?: string });
        done();
      },
    });
  const big = { text: 'x'.repeat(limits.ownAnswerBytes) };

  it('is not read where we alone asked', async () => {
    const asked: { id?: string }[] = [];
    const { mux, output } = serve(answering(asked));
    const list = mux.request('tools/list', {});
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    output.write(line({ id: asked[0]?.id, result: big }));
    await expect(list).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(mux.ended).toBe(true);
  });

  it('is read while a client has asked', async () => {
    const asked: { id?: string }[] = [];
    const { mux, output } = serve(answering(asked));
    const session = mux.openSession();
    const heard: unknown[] = [];
    session.onmessage = (message) => heard.push(message);
    await session.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: {} });
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    output.write(line({ id: asked[0]?.id, result: big }));
    await vi.waitFor(() => expect(heard).toEqual([expect.objectContaining({ id: 1, result: big })]));
    mux.close();
  });
});

describe('an exception at the edge of a connection over stdio', () => {
  const thrower = (): never => {
    throw new Error('thrown by the host');
  };

  it.each(['onmessage', 'onclose', 'onerror'] as const)(
    'in %s of a client harms neither the others nor the process',
    async (handler) => {
      const { mux, output } = serve(reads());
      const bad = mux.openSession();
      bad.onmessage = thrower;
      bad[handler] = thrower;
      const good = mux.openSession();
      const [heard, closed] = [vi.fn(), vi.fn()];
      good.onmessage = heard;
      good.onclose = closed;
      output.write(line({ method: 'notifications/tools/list_changed' }));
      await settle();
      expect(heard).toHaveBeenCalledOnce();
      output.end();
      await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce());
      expect(mux.ended).toBe(true);
    },
  );

  it.each([
    ['a logger that throws', { logger: { ...recordingLogger(), debug: thrower } }, 'no JSON\n'],
    [
      'a listener of tools',
      { onToolsChanged: thrower },
      line({ method: 'notifications/tools/list_changed' }),
    ],
    ['a listener of bytes', { onBytes: thrower }, '\n'],
  ])('by %s fails the connection with a code', async (_, options, said) => {
    const { mux, output } = serve(reads(), options);
    const call = mux.request('tools/list', {});
    output.write(said);
    await expect(call).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('thrown by the host') as string,
    });
    expect(mux.ended).toBe(true);
  });
});
