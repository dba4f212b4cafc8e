import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import type { Case } from '../suite.js';
import { rejection } from './expectations.js';
import { loggerInto, type ProviderBench } from './provider-bench.js';

/** What a provider says of itself, and how it is opened. */
export const descriptionCases: readonly Case<ProviderBench>[] = [
  {
    id: 'provider/spec/type',
    text: 'The documents that its schema parses are of its type.',
    run: async ({ provider, documents }) => {
      equal(provider.specificationVersion, 'v1');
      equal(provider.specSchema.parse(documents.serving).type, provider.type);
      const other = provider.specSchema.safeParse({ ...documents.serving, type: `not-${provider.type}` });
      equal(other.success, false, 'a document of another type is refused');
    },
  },
  {
    id: 'provider/spec/unknown-keys',
    text: 'Its schema refuses a document with a key it does not know.',
    run: async ({ provider, documents }) => {
      const parsed = provider.specSchema.safeParse({ ...documents.serving, conformance_unknown: 1 });
      equal(parsed.success, false, 'a misspelled key is an error and not ignored');
    },
  },
  {
    id: 'provider/spec/stable',
    text: 'What its schema gives is JSON data, which it takes again unchanged.',
    run: async ({ provider, documents }) => {
      const spec = provider.specSchema.parse(documents.serving);
      const stored: unknown = JSON.parse(JSON.stringify(spec));
      deepEqual(provider.specSchema.parse(stored), spec);
    },
  },
  {
    id: 'provider/open/required',
    text: 'Before open() nothing is started or listed: NOT_STARTED.',
    run: async (bench) => {
      const unopened = bench.harness.provider();
      const request = bench.request();
      equal((await rejection(unopened.ensureRunning(request), 'ensureRunning()')).code, 'NOT_STARTED');
      equal((await rejection(unopened.list(), 'list()')).code, 'NOT_STARTED');
      equal(request.asked(), 0, 'the environment was asked for');
    },
  },
  {
    id: 'provider/open/backend-away',
    text: 'A backend that is away keeps nobody from opening and closing it; calls reject, and may be repeated.',
    notFor: ({ harness }) => (harness.unreachable ? null : 'the harness gives no unreachable backend'),
    run: async (bench) => {
      const provider = bench.harness.unreachable?.() ?? bench.provider;
      await provider.open({ ...bench.owner, logger: loggerInto(bench.logged) });
      try {
        const calls = { placement: provider.placement(), observe: provider.observe(bench.request().copy) };
        for (const [name, call] of Object.entries(calls)) {
          const { code, retryable } = await rejection(call, `${name}()`);
          ok(retryable, `Expected the error of ${name}() to be retryable, ${code} is not.`);
        }
      } finally {
        await provider.close();
      }
    },
  },
  {
    id: 'provider/placement/stable',
    text: 'placement() is the same for all who use one backend.',
    run: async (bench) => {
      notEqual(bench.placement, '');
      equal(await bench.provider.placement(), bench.placement);
      equal(await (await bench.another()).placement(), bench.placement);
    },
  },
];
