import { providerSuite, type ProviderHarness } from '@mcpinfra/conformance/provider';
import { mcpError, type Provider, revealText } from '@mcpinfra/core/plugin';
import { expect, it } from 'vitest';
import { collectFailures } from './support/collect-failures.js';
import { fakeProviderHarness } from './support/fake-provider-harness.js';

/** Each has one fault, and fails what it breaks and nothing else. */
it.each<[fault: string, caughtBy: readonly string[], fault: (provider: Provider) => Partial<Provider>]>([
  [
    'takes documents with keys it does not know',
    ['provider/spec/unknown-keys'],
    ({ specSchema }) => ({ specSchema: tolerating(specSchema) }),
  ],
  [
    'makes a copy afresh that runs',
    ['provider/start/idempotent', 'provider/start/environment-once', 'provider/adopt/running'],
    (provider) => ({
      ensureRunning: async (request, options) => {
        const seen = await provider.observe(request.copy);
        if (seen.state === 'running') {
          await provider.destroy(request.copy, { graceMs: 0 });
          await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(seen.startedAt));
        }
        return provider.ensureRunning(request, options);
      },
    }),
  ],
  [
    'asks for the environment at each start',
    [
      'provider/start/environment-once',
      'provider/start/crashed-again',
      'provider/destroy/afresh',
      'provider/adopt/running',
    ],
    (provider) => ({
      ensureRunning: async (request, options) => {
        const seen = await provider.ensureRunning(request, options);
        await request.environment();
        return seen;
      },
    }),
  ],
  [
    'leaves a stopped copy when it should remove it',
    ['provider/destroy/stopped'],
    (provider) => ({
      destroy: async (copy, stop, options) => {
        const { state } = await provider.observe(copy);
        if (state !== 'exited') await provider.destroy(copy, stop, options);
      },
    }),
  ],
  [
    'removes what it was only to stop',
    ['provider/start/environment-once', 'provider/stop/kept', 'provider/stop/force'],
    (provider) => ({
      ensureStopped: (copy, stop, options) => provider.destroy(copy, stop, options),
    }),
  ],
  [
    'kills without a grace',
    ['provider/stop/force'],
    (provider) => ({
      ensureStopped: (copy, _stop, options) => provider.ensureStopped(copy, { graceMs: 0 }, options),
    }),
  ],
  [
    'throws for what is not there',
    [
      'provider/start/environment-fails',
      'provider/start/failing',
      'provider/start/revisions',
      'provider/abort/before',
      'provider/abort/environment',
      'provider/abort/any-time',
      'provider/destroy/running',
      'provider/destroy/stopped',
      'provider/close/starts-nothing',
      'provider/observe/absent',
      'provider/adopt/removed',
    ],
    (provider) => ({
      observe: async (copy, options) => {
        const seen = await provider.observe(copy, options);
        if (seen.state === 'absent') throw mcpError('NOT_FOUND', 'There is no such copy.');
        return seen;
      },
    }),
  ],
  [
    'lists copies as those of its own store',
    ['provider/list/other-store'],
    (provider) => {
      let own = '';
      return {
        open: (context, options) => {
          own = context.storeId;
          return provider.open(context, options);
        },
        list: async (options) => (await provider.list(options)).map((copy) => ({ ...copy, storeId: own })),
      };
    },
  ],
  [
    'tells of no exit',
    ['provider/watch/exit', 'provider/watch/off'],
    () => ({ watch: () => () => undefined }),
  ],
  [
    'goes on to tell who has unsubscribed',
    ['provider/watch/off'],
    (provider) => ({
      watch: (listener) => {
        provider.watch!(listener);
        return () => undefined;
      },
    }),
  ],
  [
    'says in an error what a start was given',
    ['provider/secrets/errors'],
    (provider) => ({
      ensureRunning: async (request, options) => {
        try {
          return await provider.ensureRunning(request, options);
        } catch (error) {
          if (request.spec.labels?.['does'] !== 'fail') throw error;
          const values = Object.values(await request.environment()).map(revealText);
          throw mcpError('COMMAND_NOT_FOUND', 'It cannot be started.', { details: { values } });
        }
      },
    }),
  ],
  [
    'gives the newest lines first',
    ['provider/logs/order', 'provider/secrets/logs'],
    (provider) => ({
      async *logs(copy, query, options) {
        const lines = [];
        for await (const line of provider.logs!(copy, query, options)) lines.push(line);
        yield* lines.reverse();
      },
    }),
  ],
  [
    'ends the server with its channel',
    ['provider/dial/again'],
    (provider) => ({
      dial: async (target, options) => {
        const dialed = await provider.dial(target, options);
        if (dialed.kind !== 'stdio') return dialed;
        const { channel } = dialed;
        const close = (): void => {
          channel.close();
          void provider.ensureStopped(target.copy, { graceMs: 0 });
        };
        return { ...dialed, channel: { ...channel, close } };
      },
    }),
  ],
  [
    'heeds no signal while it waits for the environment',
    ['provider/abort/environment'],
    (provider) => ({ ensureRunning: (request) => provider.ensureRunning(request) }),
  ],
])(
  'a provider that %s is caught',
  async (_, caughtBy, fault) => {
    const { failed } = await collectFailures((register) => {
      const create = (): ProviderHarness => broken(fakeProviderHarness('docker'), fault);
      providerSuite({ it: register, create, patienceMs: 2_000 });
    });
    expect([...failed.keys()].sort()).toEqual([...caughtBy].sort());
  },
  60_000,
);

function broken(harness: ProviderHarness, fault: (provider: Provider) => Partial<Provider>): ProviderHarness {
  return {
    ...harness,
    provider: () => {
      const provider = harness.provider();
      const faulty = fault(provider);
      return new Proxy(provider, {
        get: (target, name): unknown => Reflect.get(name in faulty ? faulty : target, name),
      });
    },
  };
}

function tolerating(schema: Provider['specSchema']): Provider['specSchema'] {
  return new Proxy(schema, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || (name !== 'parse' && name !== 'safeParse')) return member;
      return (document: object): unknown => {
        const { conformance_unknown: _ignored, ...rest } = document as Record<string, unknown>;
        return Reflect.apply(member, target, [rest]);
      };
    },
  });
}
