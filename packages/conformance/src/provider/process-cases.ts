import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Case } from '../suite.js';
import { nothingOf, running } from './expectations.js';
import { descendantsOf, isRunning, pidsShowing, unseenProcesses } from './machine-processes.js';
import { newCopy, type ProviderBench, secretVariable } from './provider-bench.js';
import { ProviderHost } from './provider-host.js';
import { anyOf, endsWithProcess, livesNowhere } from './reasons.js';
import { sayHello } from './say-hello.js';

const noHost = ({ harness }: ProviderBench): string | null =>
  harness.host === undefined ? 'the harness names no module that another process could import' : null;

/** What is left of a process that was killed with its provider. */
export const processCases: readonly Case<ProviderBench>[] = [
  {
    id: 'provider/processes/adopted',
    text: 'What a process started that was killed is listed by the next, taken over as it is, answers, and is removed wholly.',
    notFor: anyOf(livesNowhere, endsWithProcess, noHost),
    run: async (bench) => {
      const { request, made } = await startAndKill(bench, bench.documents.serving);
      const [listed, ...others] = await bench.listed(request.copy);
      deepEqual(others, []);
      equal(listed?.state, 'running', 'the copy is not listed as running after its process was killed');
      deepEqual(await bench.provider.ensureRunning(request), made, 'it was not taken over as it was');
      equal(request.asked(), 0, 'what runs needs no environment');
      await sayHello(bench, request);
      await bench.provider.destroy(request.copy, { graceMs: 0 });
      await nothingOf(bench, request.copy);
    },
  },
  {
    id: 'provider/processes/ended',
    text: 'What ends with its process does so when that is killed: the next finds nothing of it, and nothing of it runs.',
    notFor: anyOf(
      livesNowhere,
      (bench) => (endsWithProcess(bench) === null ? 'its copies do not end with their process' : null),
      noHost,
      unseenProcesses,
    ),
    run: async (bench) => {
      const { request, pids } = await startAndKill(bench, bench.documents.serving);
      // Leftovers may be ended by whoever opens the fleet next.
      await bench.another();
      await bench.until('no process of the copy runs any more', () =>
        pids.some(isRunning) || pidsShowing(bench.secret, 'environ').length > 0 ? undefined : true,
      );
      await nothingOf(bench, request.copy);
    },
  },
  {
    id: 'provider/secrets/argv',
    text: 'No command line of a process on this machine shows a secret of a running copy.',
    notFor: anyOf(livesNowhere, unseenProcesses),
    run: async (bench) => {
      const request = bench.request();
      running(await bench.provider.ensureRunning(request));
      await sayHello(bench, request);
      const pids = pidsShowing(bench.secret, 'cmdline');
      ok(
        pids.length === 0,
        `the command lines of ${pids.join(', ')} show the secret; hand it over otherwise`,
      );
    },
  },
];

/** Has another process start a copy, and kills that process. */
async function startAndKill(bench: ProviderBench, document: object) {
  const { harness, owner, secret } = bench;
  ok(harness.host, 'the harness names a module');
  const request = bench.request(document, { copy: newCopy() });
  const host = new ProviderHost();
  try {
    const start = { owner, document, copy: request.copy, secret, variable: secretVariable };
    const made = running(await bench.within('the start', host.start(harness.host, start)));
    const pids = unseenProcesses() === null ? descendantsOf(host.pid) : [];
    return { request, made, pids };
  } finally {
    await host.kill();
  }
}
