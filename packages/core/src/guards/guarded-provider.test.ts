import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type {
  CopyRef,
  Dialed,
  DialTarget,
  LogLine,
  Observation,
  Provider,
  RunRequest,
  SecretBundle,
} from '../ports/provider.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import type { Deadlines } from './guard-deadlines.js';
import { guardProvider } from './guarded-provider.js';

const copy: CopyRef = { instanceId: 'i1', revision: 1, slug: 'fs-1-0a1b2c3d' };
const running: Observation = {
  state: 'running',
  startedAt: '2026-01-01T00:00:00.000Z',
  endpoint: { transport: 'stdio' },
};
const spec = { type: 'fake' } as unknown as JsonSpec;
const bundle = {} as SecretBundle;

const target: DialTarget = { copy, spec, secrets: async () => bundle };
const request: RunRequest = {
  ...target,
  instanceName: 'fs-1',
  labels: {},
  environment: async () => ({}),
  onProgress: () => undefined,
};

/** A provider that answers at once; a test replaces what it is about. */
function fake(methods: Partial<Provider> = {}): Provider {
  return {
    specificationVersion: 'v1',
    type: 'fake',
    specSchema: z.any(),
    open: async () => undefined,
    placement: async () => '*',
    ensureRunning: async () => running,
    ensureStopped: async () => undefined,
    destroy: async () => undefined,
    observe: async () => ({ state: 'absent' }),
    list: async () => [],
    dial: async () => ({ kind: 'stdio', channel: channel() }),
    close: async () => undefined,
    ...methods,
  };
}

function channel(close: () => void = () => undefined) {
  return { input: new PassThrough(), output: new PassThrough(), close };
}

async function setup(methods: Partial<Provider>, deadlines: Partial<Deadlines> = {}) {
  const clock = manualClock();
  const logger = recordingLogger();
  const provider = guardProvider(fake(methods), { clock, logger, deadlines });
  await provider.open({ fleet: 'f', storeId: 's', logger });
  return { clock, logger, provider, settle: () => clock.advance(0) };
}

/** Calls that are answered when the test says so, whatever their signals say. */
function answeredLater<T>() {
  const answers: ((value: T) => void)[] = [];
  return { answers, method: () => new Promise<T>((resolve) => answers.push(resolve)) };
}

const codeOf = (error: unknown) => (error as { code?: unknown }).code;

const forever = () => new Promise<never>(() => undefined);

describe('a guarded provider', () => {
  it('has the optional methods that the provider has, and no others', async () => {
    const { provider } = await setup({});
    for (const name of ['prepare', 'watch', 'logs', 'canOverlap', 'doctor'])
      expect(provider).not.toHaveProperty(name);

    class Full {
      readonly name: string = 'mine';
      async prepare() {
        expect(this.name).toBe('mine');
      }
      watch() {
        expect(this.name).toBe('mine');
        return () => undefined;
      }
      async *logs(): AsyncGenerator<LogLine> {
        expect(this.name).toBe('mine');
        yield { at: running.state, stream: 'stdout', text: 'line' };
      }
      canOverlap() {
        return this.name !== 'mine';
      }
      async doctor() {
        return [{ name: this.name, ok: true, message: '' }];
      }
    }
    const plugin = new Full();
    const full = guardProvider(Object.assign(plugin, fake()), {
      clock: manualClock(),
      logger: recordingLogger(),
    });
    await full.open({ fleet: 'f', storeId: 's', logger: recordingLogger() });
    await full.prepare?.(request);
    full.watch?.(() => undefined)();
    for await (const line of full.logs?.(copy, {}) ?? []) expect(line.text).toBe('line');
    expect(full.canOverlap?.(spec)).toBe(false);
    expect(await full.doctor?.()).toHaveLength(1);
  });

  it('gives each kind of call its own deadline', async () => {
    const { clock, provider } = await setup({
      placement: forever,
      isPrepared: forever,
      prepare: forever,
      ensureRunning: forever,
      ensureStopped: forever,
      destroy: forever,
      observe: forever,
      list: forever,
      dial: forever,
      doctor: forever,
    });
    const calls: Record<string, [call: () => Promise<unknown> | undefined, afterMs: number]> = {
      placement: [() => provider.placement(), 15_000],
      isPrepared: [() => provider.isPrepared?.(request), 15_000],
      // It fetches nothing yet, as far as it says.
      prepare: [() => provider.prepare?.(request), 15_000],
      ensureRunning: [() => provider.ensureRunning(request), 120_000],
      ensureStopped: [() => provider.ensureStopped(copy, { graceMs: 7_000 }), 37_000],
      destroy: [() => provider.destroy(copy, { graceMs: 0 }), 30_000],
      observe: [() => provider.observe(copy), 15_000],
      list: [() => provider.list(), 30_000],
      dial: [() => provider.dial(target), 30_000],
      doctor: [() => provider.doctor?.(), 15_000],
    };
    for (const [name, [call, afterMs]] of Object.entries(calls)) {
      let code: unknown;
      call()?.catch((error: unknown) => (code = codeOf(error)));
      await clock.advance(afterMs - 1);
      expect([name, code]).toEqual([name, undefined]);
      await clock.advance(1);
      expect([name, code]).toEqual([name, 'PLUGIN_TIMEOUT']);
    }
  });

  it('gives a fetch its long deadline from its first progress on', async () => {
    const { clock, provider } = await setup({
      prepare: ({ onProgress }: typeof request) => {
        onProgress({ phase: 'pulling', image: 'mcp/test', completedBytes: 0, totalBytes: null });
        return forever();
      },
    });
    let code: unknown;
    provider.prepare?.(request).catch((error: unknown) => (code = codeOf(error)));
    await clock.advance(1_799_999);
    expect(code).toBeUndefined();
    await clock.advance(1);
    expect(code).toBe('PLUGIN_TIMEOUT');
  });

  it('fails as this library does when a synchronous method throws', async () => {
    const throws = () => {
      throw new Error('boom');
    };
    const { provider } = await setup({ canOverlap: throws, watch: throws });
    expect(() => provider.canOverlap?.(spec)).toThrow(expect.objectContaining({ code: 'PROVIDER_FAILED' }));
    expect(() => provider.watch?.(() => undefined)).toThrow(
      expect.objectContaining({ code: 'PROVIDER_FAILED' }),
    );
  });
});

describe('a copy that runs after its start was given up', () => {
  function starts(deadlines: Partial<Deadlines> = {}) {
    const late = answeredLater<Observation>();
    const destroyed: unknown[] = [];
    const destroying = answeredLater<undefined>();
    const setUp = setup(
      {
        ensureRunning: late.method,
        destroy: (...[ref, stop]) => {
          destroyed.push([ref, stop]);
          return destroying.method();
        },
      },
      { ensureRunningMs: 100, stopMs: 1000, ...deadlines },
    );
    return { late, destroyed, destroying, setUp };
  }

  it('is destroyed without grace', async () => {
    const { late, destroyed, setUp } = starts();
    const { clock, provider, settle } = await setUp;
    const expected = expect(provider.ensureRunning(request)).rejects.toMatchObject({
      code: 'PLUGIN_TIMEOUT',
    });
    await clock.advance(100);
    await expected;
    expect(destroyed).toEqual([]);
    late.answers[0]?.(running);
    await settle();
    expect(destroyed).toEqual([[copy, { graceMs: 0 }]]);
  });

  it('is destroyed after an abort, too, and a failure of that is logged', async () => {
    const { late, destroyed, setUp } = starts();
    const { clock, logger, provider, settle } = await setUp;
    const caller = new AbortController();
    const start = provider.ensureRunning(request, { signal: caller.signal });
    caller.abort();
    await expect(start).rejects.toMatchObject({ code: 'ABORTED' });
    late.answers[0]?.(running);
    await settle();
    expect(destroyed).toHaveLength(1);
    await clock.advance(1000);
    expect(logger.lines).toMatchObject([{ level: 'warn', message: 'destroy() in the background failed' }]);
  });

  it('stays when it was asked for again meanwhile', async () => {
    const { late, destroyed, setUp } = starts();
    const { clock, provider, settle } = await setUp;
    const expected = expect(provider.ensureRunning(request)).rejects.toThrow();
    await clock.advance(100);
    await expected;
    const again = provider.ensureRunning(request);
    late.answers[1]?.(running);
    expect(await again).toBe(running);
    late.answers[0]?.(running);
    await settle();
    expect(destroyed).toEqual([]);
  });

  it('goes although another revision was asked for meanwhile', async () => {
    const { late, destroyed, setUp } = starts();
    const { clock, provider, settle } = await setUp;
    const expected = expect(provider.ensureRunning(request)).rejects.toThrow();
    await clock.advance(100);
    await expected;
    const next = provider.ensureRunning({ ...request, copy: { ...copy, revision: 2 } });
    late.answers[1]?.(running);
    await next;
    late.answers[0]?.(running);
    await settle();
    expect(destroyed).toEqual([[copy, { graceMs: 0 }]]);
  });

  it('is left to the next owner when the lease was lost', async () => {
    const { late, destroyed, setUp } = starts();
    const { provider, settle } = await setUp;
    const lease = new AbortController();
    const start = provider.ensureRunning(request, { signal: lease.signal });
    lease.abort(mcpError('LEASE_LOST', 'Another worker owns it.'));
    await expect(start).rejects.toMatchObject({ code: 'LEASE_LOST' });
    late.answers[0]?.(running);
    await settle();
    expect(destroyed).toEqual([]);
  });

  it('is gone before the next start of the same copy begins', async () => {
    const { late, destroyed, destroying, setUp } = starts();
    const { clock, provider, settle } = await setUp;
    const expected = expect(provider.ensureRunning(request)).rejects.toThrow();
    await clock.advance(100);
    await expected;
    late.answers[0]?.(running);
    await settle();
    expect(destroyed).toHaveLength(1);
    const again = provider.ensureRunning(request);
    await settle();
    expect(late.answers).toHaveLength(1);
    destroying.answers[0]?.(undefined);
    await settle();
    expect(late.answers).toHaveLength(2);
    late.answers[1]?.(running);
    expect(await again).toBe(running);
  });
});

describe('a request that was given up', () => {
  it('yields no secrets any more, and its progress is ignored', async () => {
    let given: RunRequest | undefined;
    const progress: unknown[] = [];
    const { clock, provider } = await setup({
      prepare: (inner) => {
        given = inner;
        return forever();
      },
    });
    const asked = provider.prepare?.({ ...request, onProgress: (step) => progress.push(step) });
    const step = { phase: 'pulling', image: 'x', completedBytes: 1, totalBytes: null } as const;
    given?.onProgress(step);
    expect(await given?.environment()).toEqual({});
    expect(await given?.secrets()).toBe(bundle);
    const expected = expect(asked).rejects.toThrow();
    await clock.advance(1_800_000);
    await expected;
    given?.onProgress(step);
    expect(progress).toEqual([step]);
    await expect(given?.environment()).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
    await expect(given?.secrets()).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
  });
});

describe('dialling', () => {
  it('closes a channel that opens too late', async () => {
    const late = answeredLater<Dialed>();
    const { clock, provider, settle } = await setup({ dial: late.method });
    const expected = expect(provider.dial(target)).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
    await clock.advance(30_000);
    await expected;
    let closed = false;
    late.answers[0]?.({ kind: 'stdio', channel: channel(() => (closed = true)) });
    await settle();
    expect(closed).toBe(true);
  });

  it('bounds the headers of each request, and hands on the rest', async () => {
    const url = new URL('http://127.0.0.1:8080/mcp');
    let headers: () => Promise<Record<string, string>> = async () => ({ host: 'mcp.test' });
    const { clock, provider } = await setup({
      dial: async () => ({ kind: 'http', transport: 'streamable-http', url, headers: () => headers() }),
    });
    const dialed = await provider.dial(target);
    if (dialed.kind !== 'http') throw new Error('expected http');
    expect(dialed).toMatchObject({ transport: 'streamable-http', url, dispatcher: undefined });
    expect(await dialed.headers()).toEqual({ host: 'mcp.test' });
    headers = forever;
    const expected = expect(dialed.headers()).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
    await clock.advance(15_000);
    await expected;
  });
});

describe('watching', () => {
  it('shields the provider from its listener, and the listener from what comes after the end', async () => {
    let tell: ((ref: CopyRef) => void) | undefined;
    let ended = 0;
    const { logger, provider } = await setup({
      watch: (listener) => {
        tell = listener;
        return () => {
          ended++;
          throw new Error('already gone');
        };
      },
    });
    const seen: CopyRef[] = [];
    const off = provider.watch?.((ref) => {
      seen.push(ref);
      throw new Error('a bad listener');
    });
    tell?.(copy);
    off?.();
    off?.();
    tell?.(copy);
    expect(seen).toEqual([copy]);
    expect(ended).toBe(1);
    expect(logger.lines.map(({ message }) => message)).toEqual([
      'A listener of watch() failed',
      'Ending watch() failed',
    ]);
  });

  it('needs an open provider', () => {
    const provider = guardProvider(fake({ watch: () => () => undefined }), {
      clock: manualClock(),
      logger: recordingLogger(),
    });
    expect(() => provider.watch?.(() => undefined)).toThrow(expect.objectContaining({ code: 'NOT_STARTED' }));
  });
});

describe('reading logs', () => {
  const line = (text: string): LogLine => ({ at: '2026-01-01T00:00:00.000Z', stream: 'stdout', text });

  /** Lines, then silence that only the signal ends. */
  function lines(...texts: string[]) {
    const state = { ended: false };
    const logs: Provider['logs'] = async function* (_copy, _query, options) {
      try {
        yield* texts.map(line);
        await new Promise<void>((resolve) => options?.signal?.addEventListener('abort', () => resolve()));
      } finally {
        state.ended = true;
      }
    };
    return { logs, state };
  }

  async function read(source: AsyncIterable<LogLine> | undefined, into: string[]) {
    for await (const { text } of source ?? []) into.push(text);
  }

  it('is bounded from line to line', async () => {
    const { logs, state } = lines('a', 'b');
    const { clock, provider } = await setup({ logs });
    const texts: string[] = [];
    const expected = expect(read(provider.logs?.(copy, {}), texts)).rejects.toMatchObject({
      code: 'PLUGIN_TIMEOUT',
    });
    await clock.advance(15_000);
    await expected;
    await clock.advance(0);
    expect(texts).toEqual(['a', 'b']);
    expect(state.ended).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('waits for the next line without end when it follows, until it is aborted', async () => {
    const { logs, state } = lines('a');
    const { clock, provider } = await setup({ logs });
    const reader = new AbortController();
    const texts: string[] = [];
    const reading = read(provider.logs?.(copy, { follow: true }, { signal: reader.signal }), texts);
    await clock.advance(3_600_000);
    expect(texts).toEqual(['a']);
    reader.abort();
    await reading;
    await clock.advance(0);
    expect(state.ended).toBe(true);
  });

  it('fails at an abort when it does not follow', async () => {
    const { provider, settle } = await setup({ logs: lines('a').logs });
    const reader = new AbortController();
    const expected = expect(
      read(provider.logs?.(copy, {}, { signal: reader.signal }), []),
    ).rejects.toMatchObject({
      code: 'ABORTED',
    });
    await settle();
    reader.abort();
    await expected;
  });

  it('can be left in the middle of waiting for a line', async () => {
    const { logs, state } = lines('a');
    const { provider, settle } = await setup({ logs });
    const iterator = provider.logs?.(copy, { follow: true })[Symbol.asyncIterator]();
    expect(await iterator?.next()).toEqual({ done: false, value: line('a') });
    const next = iterator?.next();
    await iterator?.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    await settle();
    expect(state.ended).toBe(true);
  });

  it('reports what the provider throws, and needs an open provider', async () => {
    const failing: Provider['logs'] = () => {
      throw new Error('boom');
    };
    const { provider } = await setup({ logs: failing });
    await expect(read(provider.logs?.(copy, {}), [])).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
    const unopened = guardProvider(fake({ logs: failing }), {
      clock: manualClock(),
      logger: recordingLogger(),
    });
    await expect(read(unopened.logs?.(copy, {}), [])).rejects.toMatchObject({ code: 'NOT_STARTED' });
  });
});

it.each([undefined, null, {}, { state: 'up' }, 'running'])(
  'refuses an observation that is none: %o',
  async (answer) => {
    const { provider } = await setup({
      ensureRunning: async () => answer as never,
      observe: async () => answer as never,
    });
    const refusal = { code: 'PLUGIN_CONTRACT', message: expect.stringContaining('an observation') as string };
    await expect(provider.ensureRunning(request)).rejects.toMatchObject(refusal);
    await expect(provider.observe(copy)).rejects.toMatchObject(refusal);
  },
);
