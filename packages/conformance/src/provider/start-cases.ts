import { deepEqual, equal, ok } from 'node:assert/strict';
import { mcpError, type Progress } from '@mcpinfra/core/plugin';
import type { Case } from '../suite.js';
import { exitOf, nothingOf, rejection, running, time } from './expectations.js';
import { newCopy, type ProviderBench } from './provider-bench.js';
import { anyOf, lacks, livesNowhere, without } from './reasons.js';

/** How copies are made and made to run. */
export const startCases: readonly Case<ProviderBench>[] = [
  {
    id: 'provider/start/running',
    text: 'A start gives what observe() says of the running copy.',
    run: async (bench) => {
      const request = bench.request();
      const seen = running(await bench.provider.ensureRunning(request));
      time(seen.startedAt, 'startedAt');
      equal(
        seen.endpoint.url === undefined,
        seen.endpoint.transport === 'stdio',
        'what is over HTTP has a URL',
      );
      if (!bench.livesNowhere) deepEqual(await bench.provider.observe(request.copy), seen);
    },
  },
  {
    id: 'provider/start/idempotent',
    text: 'A copy that runs is left alone by another start.',
    notFor: livesNowhere,
    run: async (bench) => {
      const request = bench.request();
      const first = await bench.provider.ensureRunning(request);
      deepEqual(await bench.provider.ensureRunning(request), first);
      equal((await bench.listed(request.copy)).length, 1);
    },
  },
  {
    id: 'provider/start/concurrent',
    text: 'Starts of one copy at once make one copy.',
    notFor: livesNowhere,
    run: async (bench) => {
      const request = bench.request();
      const starts = Array.from({ length: 4 }, () => bench.provider.ensureRunning(request));
      const [first, ...others] = await Promise.all(starts);
      for (const other of others) deepEqual(other, first);
      equal((await bench.listed(request.copy)).length, 1);
    },
  },
  {
    id: 'provider/start/environment-once',
    text: 'The environment is asked for when a copy is made, and not when it runs or is started again.',
    notFor: livesNowhere,
    run: async (bench) => {
      const { provider } = bench;
      const request = bench.request();
      await provider.ensureRunning(request);
      equal(request.asked(), 1, 'asked for by the first start');
      await provider.ensureRunning(request);
      await provider.ensureStopped(request.copy, { graceMs: 10_000 });
      await provider.ensureRunning(request);
      equal(request.asked(), 1, 'asked for by later starts too');
    },
  },
  {
    id: 'provider/start/environment-fails',
    text: 'A start whose environment cannot be had rejects with its error and leaves nothing.',
    notFor: livesNowhere,
    run: async (bench) => {
      const failing = mcpError('SECRET_NOT_FOUND', 'The suite gives no environment this time.');
      const request = bench.request(bench.documents.serving, { environment: () => Promise.reject(failing) });
      const { code } = await rejection(bench.provider.ensureRunning(request), 'ensureRunning()');
      equal(code, 'SECRET_NOT_FOUND');
      await nothingOf(bench, request.copy);
    },
  },
  {
    id: 'provider/start/failing',
    text: 'A start that cannot be rejects with the code of why, and leaves nothing.',
    notFor: without('failing'),
    run: async (bench) => {
      const { document, code } = bench.documents.failing ?? { document: {}, code: undefined };
      const request = bench.request(document);
      const error = await rejection(bench.provider.ensureRunning(request), 'ensureRunning()');
      equal(error.code, code, error.message);
      await nothingOf(bench, request.copy);
    },
  },
  {
    id: 'provider/start/after-failure',
    text: 'A copy whose start failed can be started.',
    notFor: anyOf(livesNowhere, without('failing')),
    run: async (bench) => {
      const failing = bench.request(bench.documents.failing?.document);
      await rejection(bench.provider.ensureRunning(failing), 'ensureRunning()');
      const mended = bench.request(bench.documents.serving, { copy: failing.copy });
      running(await bench.provider.ensureRunning(mended));
      equal((await bench.listed(failing.copy)).length, 1);
    },
  },
  {
    id: 'provider/start/stopped-again',
    text: 'A copy that was stopped is started again as it is.',
    notFor: livesNowhere,
    run: async (bench) => {
      const { provider } = bench;
      const request = bench.request();
      const first = running(await provider.ensureRunning(request));
      await provider.ensureStopped(request.copy, { graceMs: 10_000 });
      const second = running(await provider.ensureRunning(request));
      ok(time(second.startedAt, 'startedAt') >= time(first.startedAt, 'startedAt'));
      deepEqual(await provider.observe(request.copy), second);
      equal((await bench.listed(request.copy)).length, 1);
    },
  },
  {
    id: 'provider/start/crashed-again',
    text: 'A copy that ended by itself is started again without asking for its environment.',
    notFor: anyOf(livesNowhere, without('exiting')),
    run: async (bench) => {
      const { provider } = bench;
      const request = bench.request(bench.documents.exiting?.document);
      await provider.ensureRunning(request);
      await exitOf(bench, request.copy);
      const again = await provider.ensureRunning(request);
      ok(again.state !== 'absent', 'the copy is gone');
      await exitOf(bench, request.copy);
      equal(request.asked(), 1);
      equal((await bench.listed(request.copy)).length, 1);
    },
  },
  {
    id: 'provider/start/revisions',
    text: 'Two revisions of an instance run side by side, and one of them is removed without the other.',
    notFor: (bench) => {
      const spec = bench.provider.specSchema.parse(bench.documents.serving);
      if (bench.provider.canOverlap?.(spec) === false) return 'canOverlap() says that they cannot';
      return livesNowhere(bench);
    },
    run: async (bench) => {
      const { provider } = bench;
      const old = bench.request();
      const next = bench.request(bench.documents.serving, { copy: { ...old.copy, revision: 2 } });
      running(await provider.ensureRunning(old), 'the old revision');
      const seen = running(await provider.ensureRunning(next), 'the next revision');
      running(await provider.observe(old.copy), 'the old revision');
      deepEqual(
        (await bench.listed(old.copy)).map(({ copy }) => copy),
        [old.copy, next.copy],
      );
      await provider.destroy(old.copy, { graceMs: 0 });
      deepEqual(await provider.observe(old.copy), { state: 'absent' });
      deepEqual(await provider.observe(next.copy), seen);
    },
  },
  {
    id: 'provider/start/prepare',
    text: 'prepare() may be repeated, makes no copy, and tells of its progress in numbers.',
    notFor: lacks('prepare'),
    run: async (bench) => {
      const heard: Progress[] = [];
      const onProgress = (progress: Progress): void => void heard.push(progress);
      const request = bench.request(bench.documents.serving, { copy: newCopy(), onProgress });
      await bench.provider.prepare?.(request);
      await bench.provider.prepare?.(request);
      if (bench.provider.isPrepared)
        ok(await bench.provider.isPrepared(request), 'isPrepared() does not see what prepare() fetched');
      equal(request.asked(), 0, 'the environment was asked for');
      await nothingOf(bench, request.copy);
      for (const { phase, completedBytes, totalBytes } of heard) {
        equal(phase, 'pulling');
        ok(totalBytes === null || completedBytes <= totalBytes, `${completedBytes} of ${totalBytes} bytes`);
      }
    },
  },
];
