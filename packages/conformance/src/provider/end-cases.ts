import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Case } from '../suite.js';
import { exited, nothingOf, rejection, running, time } from './expectations.js';
import { newCopy, type ProviderBench } from './provider-bench.js';
import { anyOf, endsWithProcess, livesNowhere, without } from './reasons.js';
import { sayHello } from './say-hello.js';

// Longer than a case is waited for: what takes it all has not been polite.
const longGraceMs = 20_000;
// Engines count whole seconds.
const shortGraceMs = 1_000;

/** How copies are ended and removed, and providers closed. */
export const endCases: readonly Case<ProviderBench>[] = [
  {
    id: 'provider/stop/absent',
    text: 'ensureStopped() of a copy that is not there resolves.',
    run: async ({ provider }) => {
      await provider.ensureStopped(newCopy(), { graceMs: 0 });
    },
  },
  {
    id: 'provider/stop/kept',
    text: 'A stopped copy has ended within its grace and is kept, listed as exited.',
    notFor: livesNowhere,
    run: async (bench) => {
      const { provider } = bench;
      const request = bench.request();
      await provider.ensureRunning(request);
      await sayHello(bench, request);
      await provider.ensureStopped(request.copy, { graceMs: longGraceMs });
      const seen = exited(await provider.observe(request.copy));
      time(seen.exit.at, 'exit.at');
      deepEqual(
        (await bench.listed(request.copy)).map(({ state }) => state),
        ['exited'],
      );
      await provider.ensureStopped(request.copy, { graceMs: longGraceMs });
      deepEqual(await provider.observe(request.copy), seen, 'stopping it again changed how it ended');
    },
  },
  {
    id: 'provider/stop/force',
    text: 'A server that does not end when it is asked to has its grace and is then ended by force.',
    notFor: anyOf(livesNowhere, without('stubborn')),
    run: async (bench) => {
      const { provider } = bench;
      const request = bench.request(bench.documents.stubborn);
      await provider.ensureRunning(request);
      await sayHello(bench, request);
      const since = performance.now();
      await provider.ensureStopped(request.copy, { graceMs: shortGraceMs });
      const tookMs = performance.now() - since;
      ok(tookMs > shortGraceMs * 0.9, `It was ended after ${tookMs} ms of its ${shortGraceMs} ms.`);
      exited(await provider.observe(request.copy));
    },
  },
  {
    id: 'provider/destroy/absent',
    text: 'destroy() of a copy that is not there resolves.',
    run: async ({ provider }) => {
      await provider.destroy(newCopy(), { graceMs: 0 });
    },
  },
  {
    id: 'provider/destroy/running',
    text: 'destroy() of a running copy leaves nothing of it.',
    run: async (bench) => {
      const request = bench.request();
      await bench.provider.ensureRunning(request);
      await bench.provider.destroy(request.copy, { graceMs: longGraceMs });
      await nothingOf(bench, request.copy);
    },
  },
  {
    id: 'provider/destroy/stopped',
    text: 'destroy() of a stopped copy leaves nothing of it, also when it is repeated.',
    run: async (bench) => {
      const request = bench.request();
      await bench.provider.ensureRunning(request);
      await bench.provider.ensureStopped(request.copy, { graceMs: longGraceMs });
      await bench.provider.destroy(request.copy, { graceMs: longGraceMs });
      await bench.provider.destroy(request.copy, { graceMs: longGraceMs });
      await nothingOf(bench, request.copy);
    },
  },
  {
    id: 'provider/destroy/afresh',
    text: 'A copy that was destroyed is made afresh by the next start, with an environment asked for anew.',
    notFor: livesNowhere,
    run: async (bench) => {
      const request = bench.request();
      await bench.provider.ensureRunning(request);
      await bench.provider.destroy(request.copy, { graceMs: 0 });
      running(await bench.provider.ensureRunning(request));
      equal(request.asked(), 2);
    },
  },
  {
    id: 'provider/close/idempotent',
    text: 'close() may be repeated.',
    run: async (bench) => {
      await bench.provider.ensureRunning(bench.request());
      const closing = await bench.another();
      await Promise.all([closing.close(), closing.close()]);
      await closing.close();
    },
  },
  {
    id: 'provider/close/starts-nothing',
    text: 'A closed provider starts nothing.',
    run: async (bench) => {
      const closed = await bench.another();
      await closed.close();
      const request = bench.request();
      await rejection(closed.ensureRunning(request), 'ensureRunning()');
      equal(request.asked(), 0, 'the environment was asked for');
      await nothingOf(bench, request.copy);
    },
  },
  {
    id: 'provider/close/copies-stay',
    text: 'Copies outlive the provider that made them.',
    notFor: anyOf(livesNowhere, endsWithProcess),
    run: async (bench) => {
      const maker = await bench.another();
      const request = bench.request();
      const made = running(await maker.ensureRunning(request));
      await maker.close();
      deepEqual(await bench.provider.observe(request.copy), made);
    },
  },
  {
    id: 'provider/close/copies-end',
    text: 'Copies that end with their process end when the provider is closed.',
    notFor: (bench) =>
      bench.provider.copiesEndWithProcess === true ? null : 'its copies do not end with their process',
    run: async (bench) => {
      const maker = await bench.another();
      const request = bench.request();
      await maker.ensureRunning(request);
      await maker.close();
      deepEqual(await bench.listed(request.copy), []);
    },
  },
];
