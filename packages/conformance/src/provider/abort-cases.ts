import { equal } from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { Case } from '../suite.js';
import { nothingOf, rejection, running } from './expectations.js';
import type { CountedRequest, ProviderBench } from './provider-bench.js';
import { livesNowhere } from './reasons.js';

// From before anything is asked of a backend until a copy is likely to run.
const delaysMs = [0, 5, 25, 100, 300];

/** What is left of a start that was given up. */
export const abortCases: readonly Case<ProviderBench>[] = [
  {
    id: 'provider/abort/before',
    text: 'A start that was given up before it began settles, and destroy() leaves nothing of it.',
    run: async (bench) => {
      const request = bench.request();
      await bench.provider
        .ensureRunning(request, { signal: AbortSignal.abort() })
        .catch((error: unknown) => rejection(Promise.reject(error as Error), 'ensureRunning()'));
      await removed(bench, request);
    },
  },
  {
    id: 'provider/abort/environment',
    text: 'A start that is given up while it waits for its environment rejects at once and leaves nothing.',
    notFor: livesNowhere,
    run: async (bench) => {
      const given = new AbortController();
      const environment = (): Promise<never> => {
        setImmediate(() => given.abort());
        return new Promise(() => undefined);
      };
      const request = bench.request(bench.documents.serving, { environment });
      const start = bench.provider.ensureRunning(request, { signal: given.signal });
      equal((await rejection(start, 'ensureRunning()')).code, 'ABORTED');
      await nothingOf(bench, request.copy);
    },
  },
  {
    id: 'provider/abort/any-time',
    text: 'A start that is given up at any time settles, and destroy() leaves nothing of it.',
    run: async (bench) => {
      for (const delayMs of delaysMs) {
        const request = bench.request();
        const given = new AbortController();
        const start = bench.provider.ensureRunning(request, { signal: given.signal });
        const settled = Promise.allSettled([start]);
        await wait(delayMs);
        given.abort();
        await settled;
        await removed(bench, request);
      }
    },
  },
  {
    id: 'provider/abort/again',
    text: 'A copy whose start was given up can be started.',
    run: async (bench) => {
      const request = bench.request();
      const given = new AbortController();
      const start = bench.provider.ensureRunning(request, { signal: given.signal });
      given.abort();
      await Promise.allSettled([start]);
      running(await bench.provider.ensureRunning(request));
      if (!bench.livesNowhere) equal((await bench.listed(request.copy)).length, 1);
    },
  },
];

/** Destroys a copy, once more if what was under way at the abort was done after the first time. */
async function removed(bench: ProviderBench, { copy }: CountedRequest): Promise<void> {
  await bench.until('destroy() leaves nothing', async () => {
    await bench.provider.destroy(copy, { graceMs: 0 });
    const { state } = await bench.provider.observe(copy);
    return state === 'absent' && (await bench.listed(copy)).length === 0 ? true : undefined;
  });
}
