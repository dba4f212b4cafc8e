import { tracingChannel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { Guard, type GuardedPlugin } from './guard.js';

const forever = () => new Promise<never>(() => undefined);

function setup(plugin: Partial<GuardedPlugin> = {}) {
  const clock = manualClock();
  const logger = recordingLogger();
  const guard = new Guard<string>(
    {
      port: 'provider',
      name: 'docker',
      specificationVersion: 'v1',
      code: 'PROVIDER_FAILED',
      opens: true,
      ...plugin,
    },
    { clock, logger, deadlines: { openMs: 100 } },
  );
  const call = <T>(work: () => Promise<T>, signal?: AbortSignal) =>
    guard.call('observe', { timeoutMs: 50, signal }, work);
  return { clock, logger, guard, call, open: () => guard.open(undefined, async () => 'opened') };
}

it('refuses a plugin made for another specification', () => {
  expect(() => setup({ specificationVersion: 'v2' })).toThrow(
    expect.objectContaining({
      code: 'SPECIFICATION_VERSION_UNSUPPORTED',
      message: expect.stringContaining(
        'the provider "docker" to have specificationVersion "v1", got "v2"',
      ) as string,
    }),
  );
});

describe('opening', () => {
  it('comes before every call', async () => {
    const { call, open } = setup();
    await expect(call(async () => 1)).rejects.toMatchObject({ code: 'NOT_STARTED' });
    await open();
    expect(await call(async () => 1)).toBe(1);
  });

  it('is not needed by a plugin that cannot be opened', async () => {
    const { call } = setup({ opens: false });
    expect(await call(async () => 1)).toBe(1);
  });

  it('happens once for all who ask', async () => {
    const { guard } = setup();
    let opened = 0;
    const work = async () => `opened ${++opened}`;
    const asked = [guard.open(undefined, work), guard.open(undefined, work)];
    expect(await Promise.all(asked)).toEqual(['opened 1', 'opened 1']);
    expect(await guard.open(undefined, work)).toBe('opened 1');
  });

  it('is tried again after a failure', async () => {
    const { guard, open, call } = setup();
    const failing = guard.open(undefined, () => Promise.reject(new Error('away')));
    await expect(failing).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
    await expect(call(async () => 1)).rejects.toMatchObject({ code: 'NOT_STARTED' });
    expect(await open()).toBe('opened');
  });

  it('has a deadline', async () => {
    const { clock, guard } = setup();
    const expected = expect(guard.open(undefined, forever)).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
    await clock.advance(100);
    await expected;
  });
});

describe('closing', () => {
  it('happens once and refuses every later call', async () => {
    const { guard, open, call } = setup();
    await open();
    let closed = 0;
    const work = async () => {
      closed++;
    };
    await Promise.all([guard.close(undefined, work), guard.close(undefined, work)]);
    await guard.close(undefined, work);
    expect(closed).toBe(1);
    await expect(call(async () => 1)).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
    await expect(open()).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
  });

  it('is tried again after a failure', async () => {
    const { guard, open } = setup();
    await open();
    const failing = guard.close(undefined, () => Promise.reject(new Error('busy')));
    await expect(failing).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
    await guard.close(undefined, async () => undefined);
  });

  it('leaves alone what nobody opened, and lets go of what an opening that failed may hold', async () => {
    const closed: string[] = [];
    const unopened = setup();
    await unopened.guard.close(undefined, async () => void closed.push('unopened'));
    const failed = setup();
    await failed.guard.open(undefined, () => Promise.reject(new Error('half-way'))).catch(() => undefined);
    await failed.guard.close(undefined, async () => void closed.push('failed'));
    expect(closed).toEqual(['failed']);
  });

  it('ends an opening under way, and closes again what opens after all', async () => {
    const { clock, guard } = setup();
    let finish!: (value: string) => void;
    const opening = guard.open(undefined, () => new Promise((resolve) => (finish = resolve)));
    let closed = 0;
    const closing = guard.close(undefined, async () => {
      closed++;
    });
    await expect(opening).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
    await closing;
    expect(closed).toBe(1);
    finish('late');
    await clock.advance(0);
    expect(closed).toBe(2);
  });

  it('waits for what goes on in the background', async () => {
    const { clock, guard, open } = setup();
    await open();
    const order: string[] = [];
    let finish!: () => void;
    void guard.background('destroy', 1000, async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      order.push('cleaned up');
    });
    const closing = guard.close(undefined, async () => void order.push('closed'));
    await clock.advance(10);
    expect(order).toEqual([]);
    finish();
    await closing;
    expect(order).toEqual(['cleaned up', 'closed']);
  });
});

it('closes also when what goes on in the background hangs', async () => {
  const { clock, logger, guard, open } = setup();
  await open();
  void guard.background('destroy', 60_000, forever);
  let closed = false;
  const closing = guard.close(undefined, async () => {
    closed = true;
  });
  await clock.advance(10_000);
  await closing;
  expect(closed).toBe(true);
  expect(logger.lines).toMatchObject([
    { level: 'warn', message: expect.stringContaining('background') as string },
  ]);
});

describe('a call', () => {
  it('is given up at its deadline, with the plugin and the method in the message', async () => {
    const { clock, call, open } = setup();
    await open();
    const expected = expect(call(forever)).rejects.toMatchObject({
      code: 'PLUGIN_TIMEOUT',
      message: expect.stringContaining(
        'observe() of the provider "docker" did not answer within 50 ms',
      ) as string,
    });
    await clock.advance(50);
    await expected;
    expect(clock.pending).toBe(0);
  });

  it('is given up when its caller aborts', async () => {
    const { call, open } = setup();
    await open();
    const caller = new AbortController();
    const result = call(forever, caller.signal);
    caller.abort();
    await expect(result).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('fails with errors of this library only', async () => {
    const { call, open } = setup();
    await open();
    const cause = new Error('ECONNREFUSED');
    await expect(call(() => Promise.reject(cause))).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      message: 'observe() of the provider "docker" failed: ECONNREFUSED',
      cause,
    });
    const thrower = () => {
      throw new TypeError('not a function');
    };
    await expect(call(thrower)).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
    const own = mcpError('COMMAND_NOT_FOUND', 'No such command.');
    await expect(call(() => Promise.reject(own))).rejects.toBe(own);
  });

  it('logs a late result that could not be undone', async () => {
    const { clock, logger, guard, open } = setup();
    await open();
    let finish!: (value: string) => void;
    const expected = expect(
      guard.call(
        'dial',
        {
          timeoutMs: 10,
          onLate: () => {
            throw new Error('stuck');
          },
        },
        () => new Promise<string>((resolve) => (finish = resolve)),
      ),
    ).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
    await clock.advance(10);
    await expected;
    finish('channel');
    await clock.advance(0);
    expect(logger.lines).toMatchObject([
      { level: 'warn', fields: { port: 'provider', plugin: 'docker', error: 'stuck' } },
    ]);
  });
});

it('publishes each call to the tracing channel of its port, without arguments and results', async () => {
  const { call, open, guard } = setup();
  const seen: unknown[] = [];
  const channel = tracingChannel('mcpinfra:provider');
  const subscribers = {
    start: (message: object) => seen.push(['start', { ...message }]),
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: (message: object) => seen.push(['end', { ...message }]),
    error: (message: object) => seen.push(['error', { ...message }]),
  };
  channel.subscribe(subscribers);
  await open();
  expect(await call(async () => 'a secret')).toBe('a secret');
  await expect(call(() => Promise.reject(new Error('boom')))).rejects.toMatchObject({
    code: 'PROVIDER_FAILED',
  });
  await guard.close(undefined, async () => undefined);
  channel.unsubscribe(subscribers);
  const observed = { plugin: 'docker', method: 'observe' };
  const error = expect.objectContaining({ code: 'PROVIDER_FAILED' }) as object;
  expect(seen).toEqual([
    ['start', { plugin: 'docker', method: 'open' }],
    ['end', { plugin: 'docker', method: 'open', result: undefined }],
    ['start', observed],
    ['end', { ...observed, result: undefined }],
    ['start', observed],
    ['error', { ...observed, error }],
    ['end', { ...observed, error }],
    ['start', { plugin: 'docker', method: 'close' }],
    ['end', { plugin: 'docker', method: 'close', result: undefined }],
  ]);
});
