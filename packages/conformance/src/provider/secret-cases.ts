import { equal, ok } from 'node:assert/strict';
import type { Case } from '../suite.js';
import { exitOf, rejection } from './expectations.js';
import type { ProviderBench } from './provider-bench.js';
import { anyOf, lacks, livesNowhere, without } from './reasons.js';

/** Where a secret value must not be. */
export const secretCases: readonly Case<ProviderBench>[] = [
  {
    id: 'provider/secrets/errors',
    text: 'No error of a start shows a secret of its environment.',
    notFor: without('failing'),
    run: async (bench) => {
      const request = bench.request(bench.documents.failing?.document);
      const error = await rejection(bench.provider.ensureRunning(request), 'ensureRunning()');
      for (
        let cause: unknown = error;
        cause !== undefined;
        cause = cause instanceof Error ? cause.cause : undefined
      ) {
        ok(!bench.shows(cause), 'the error or a cause of it shows the secret');
      }
    },
  },
  {
    id: 'provider/secrets/sight',
    text: 'Neither observe() nor list() nor what is logged shows a secret of a running copy.',
    notFor: livesNowhere,
    run: async (bench) => {
      const { provider } = bench;
      const request = bench.request();
      ok(!bench.shows(await provider.ensureRunning(request)), 'the observation of the start');
      ok(!bench.shows(await provider.observe(request.copy)), 'the observation');
      ok(!bench.shows(await provider.list()), 'the list');
      await provider.ensureStopped(request.copy, { graceMs: 10_000 });
      await provider.destroy(request.copy, { graceMs: 0 });
      ok(!bench.logged.some((line) => bench.shows(line)), 'the log');
    },
  },
  {
    id: 'provider/secrets/last-lines',
    text: 'The last lines of a copy that wrote a secret show it replaced.',
    notFor: without('exiting'),
    run: async (bench) => {
      const request = bench.request(bench.documents.exiting?.document);
      await bench.provider.ensureRunning(request);
      const { exit } = await exitOf(bench, request.copy);
      ok(!bench.shows(exit), 'the exit record shows the secret');
      equal(exit.lastLogLines.at(-1), '[secret]');
    },
  },
  {
    id: 'provider/secrets/logs',
    text: 'logs() shows a secret that a server wrote replaced.',
    notFor: anyOf(lacks('logs'), without('exiting')),
    run: async (bench) => {
      const request = bench.request(bench.documents.exiting?.document);
      await bench.provider.ensureRunning(request);
      const lines = await bench.until('the line with the secret is there', async () => {
        const texts: string[] = [];
        for await (const { text } of bench.provider.logs?.(request.copy, {}) ?? []) texts.push(text);
        return texts.length > (bench.documents.exiting?.lines.length ?? 0) ? texts : undefined;
      });
      ok(!lines.some((line) => bench.shows(line)), 'a line shows the secret');
      equal(lines.at(-1), '[secret]');
    },
  },
];
