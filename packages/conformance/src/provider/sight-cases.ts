import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Case } from '../suite.js';
import { exitOf, nothingOf, running, time } from './expectations.js';
import { newCopy, type ProviderBench } from './provider-bench.js';
import { anyOf, endsWithProcess, livesNowhere, without } from './reasons.js';

// The clock of a backend may be off a little.
const clockToleranceMs = 60_000;

/** What a provider sees of copies, its own and those of others. */
export const sightCases: readonly Case<ProviderBench>[] = [
  {
    id: 'provider/observe/absent',
    text: 'observe() of a copy that is not there says so; that is no error.',
    run: async ({ provider }) => {
      deepEqual(await provider.observe(newCopy()), { state: 'absent' });
    },
  },
  {
    id: 'provider/observe/exit',
    text: 'A copy that ended by itself is exited, with its exit code and last lines.',
    notFor: without('exiting'),
    run: async (bench) => {
      const { document, exitCode, lines } = bench.documents.exiting ?? {
        document: {},
        exitCode: 0,
        lines: [],
      };
      const request = bench.request(document);
      const seen = await bench.provider.ensureRunning(request);
      ok(
        seen.state !== 'absent',
        'what ensureRunning() gives is running or, when it ended meanwhile, exited',
      );
      const { exit } = await exitOf(bench, request.copy);
      time(exit.at, 'exit.at');
      deepEqual(
        { exitCode: exit.exitCode, signal: exit.signal, oomKilled: exit.oomKilled },
        { exitCode, signal: null, oomKilled: false },
      );
      deepEqual(exit.lastLogLines.slice(0, lines.length), lines);
      ok(exit.lastLogLines.length <= 20, `It has ${exit.lastLogLines.length} lines.`);
    },
  },
  {
    id: 'provider/list/fleet',
    text: 'list() shows every copy with its store, instance, revision, slug, state and time of making.',
    notFor: livesNowhere,
    run: async (bench) => {
      deepEqual(await bench.provider.list(), []);
      const requests = [bench.request(), bench.request()];
      for (const request of requests) await bench.provider.ensureRunning(request);
      for (const { copy } of requests) {
        const [listed, ...others] = await bench.listed(copy);
        deepEqual(others, []);
        const { createdAt, ...rest } = listed ?? { createdAt: '' };
        deepEqual(rest, { copy, storeId: bench.owner.storeId, state: 'running' });
        const agoMs = Date.now() - time(createdAt, 'createdAt');
        ok(Math.abs(agoMs) < clockToleranceMs, `It was made ${agoMs} ms ago, it says.`);
      }
    },
  },
  {
    id: 'provider/list/other-fleet',
    text: 'Copies of another fleet on the same backend are neither listed nor touched.',
    notFor: livesNowhere,
    run: async (bench) => {
      const stranger = await bench.another({ fleet: `${bench.owner.fleet}-other` });
      const request = bench.request();
      const made = running(await stranger.ensureRunning(request));
      deepEqual(await bench.provider.list(), []);
      equal((await bench.listed(request.copy, stranger)).length, 1);
      await bench.provider.destroy(request.copy, { graceMs: 0 });
      deepEqual(await stranger.observe(request.copy), made);
    },
  },
  {
    id: 'provider/list/other-store',
    text: 'Copies of another store of the fleet are listed under the id of that store.',
    notFor: anyOf(livesNowhere, endsWithProcess),
    run: async (bench) => {
      const other = await bench.another({ storeId: 'another-store' });
      const request = bench.request();
      await other.ensureRunning(request);
      const listed = await bench.listed(request.copy);
      deepEqual(
        listed.map(({ copy, storeId }) => ({ copy, storeId })),
        [{ copy: request.copy, storeId: 'another-store' }],
      );
    },
  },
  {
    id: 'provider/adopt/running',
    text: 'Another process sees a copy and takes it over as it is, without asking for its environment.',
    notFor: anyOf(livesNowhere, endsWithProcess),
    run: async (bench) => {
      const request = bench.request();
      const made = running(await bench.provider.ensureRunning(request));
      const next = await bench.another();
      deepEqual(await next.observe(request.copy), made);
      deepEqual(await next.ensureRunning(request), made);
      equal(request.asked(), 1);
      deepEqual(await bench.listed(request.copy, next), await bench.listed(request.copy));
    },
  },
  {
    id: 'provider/adopt/removed',
    text: 'Another process removes a copy wholly.',
    notFor: anyOf(livesNowhere, endsWithProcess),
    run: async (bench) => {
      const request = bench.request();
      await bench.provider.ensureRunning(request);
      await (await bench.another()).destroy(request.copy, { graceMs: 0 });
      await nothingOf(bench, request.copy);
    },
  },
];
