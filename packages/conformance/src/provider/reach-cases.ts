import { deepEqual, equal, ok } from 'node:assert/strict';
import type { LogLine, LogQuery, Provider, CopyRef } from '@mcpinfra/core/plugin';
import type { Case } from '../suite.js';
import { exitOf, rejection, running, time } from './expectations.js';
import { newCopy, type ProviderBench } from './provider-bench.js';
import { anyOf, lacks, livesNowhere, without } from './reasons.js';
import { sayHello } from './say-hello.js';

/** The ways to a server, what it wrote, and news of it. */
export const reachCases: readonly Case<ProviderBench>[] = [
  {
    id: 'provider/dial/initialize',
    text: 'A server answers over the way that dial() gives.',
    run: async (bench) => {
      const request = bench.request();
      await bench.provider.ensureRunning(request);
      await sayHello(bench, request);
    },
  },
  {
    id: 'provider/dial/again',
    text: 'Letting go of a way ends no server, and dialling again reaches the same.',
    run: async (bench) => {
      const request = bench.request();
      const seen = running(await bench.provider.ensureRunning(request));
      const first = await sayHello(bench, request);
      if (first.kind === 'stdio') {
        first.channel.close();
        first.channel.close();
      }
      await sayHello(bench, request);
      if (!bench.livesNowhere) deepEqual(await bench.provider.observe(request.copy), seen);
    },
  },
  {
    id: 'provider/dial/not-running',
    text: 'There is no way to a copy that does not run: INSTANCE_NOT_READY.',
    notFor: livesNowhere,
    run: async (bench) => {
      const request = bench.request();
      equal((await rejection(bench.provider.dial(request), 'dial()')).code, 'INSTANCE_NOT_READY');
      await bench.provider.ensureRunning(request);
      await bench.provider.ensureStopped(request.copy, { graceMs: 10_000 });
      equal((await rejection(bench.provider.dial(request), 'dial()')).code, 'INSTANCE_NOT_READY');
    },
  },
  {
    id: 'provider/watch/exit',
    text: 'The end of a copy is told to every watcher.',
    notFor: anyOf(lacks('watch'), without('exiting')),
    run: async (bench) => {
      const heard = [new Set<string>(), new Set<string>()];
      const offs = heard.map((copies) =>
        bench.provider.watch?.((copy) => copies.add(JSON.stringify(key(copy)))),
      );
      const { copy } = await crash(bench);
      await bench.until('both watchers heard of the exit', () =>
        heard.every((copies) => copies.has(JSON.stringify(key(copy)))) ? true : undefined,
      );
      for (const off of offs) off?.();
    },
  },
  {
    id: 'provider/watch/off',
    text: 'Who has unsubscribed is told nothing more.',
    notFor: anyOf(lacks('watch'), without('exiting')),
    run: async (bench) => {
      let early = 0;
      let late = 0;
      const off = bench.provider.watch?.(() => void (early += 1));
      const offLate = bench.provider.watch?.(() => void (late += 1));
      off?.();
      off?.();
      await crash(bench);
      await bench.until('the other watcher heard of the exit', () => (late > 0 ? true : undefined));
      equal(early, 0);
      offLate?.();
    },
  },
  {
    id: 'provider/logs/order',
    text: 'logs() gives what a server wrote, oldest first, also after its end.',
    notFor: anyOf(lacks('logs'), without('exiting')),
    run: async (bench) => {
      const lines = bench.documents.exiting?.lines ?? [];
      const { copy } = await crash(bench);
      const written = await bench.until('every line is there', async () => {
        const read = await readLogs(bench.provider, copy, {});
        return read.length > lines.length ? read : undefined;
      });
      deepEqual(
        written.slice(0, lines.length).map(({ text, stream }) => ({ text, stream })),
        lines.map((text) => ({ text, stream: 'stderr' })),
      );
      const times = written.map(({ at }) => time(at, 'the time of a line'));
      deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      );
      const tail = await readLogs(bench.provider, copy, { tail: 2 });
      deepEqual(tail, written.slice(-2), 'tail is the newest lines');
    },
  },
  {
    id: 'provider/logs/absent',
    text: 'A copy that is not there has no lines.',
    notFor: lacks('logs'),
    run: async ({ provider }) => {
      deepEqual(await readLogs(provider, newCopy(), {}), []);
    },
  },
  {
    id: 'provider/logs/follow',
    text: 'Following the lines of a server goes on until it is aborted, and ends then.',
    notFor: lacks('logs'),
    run: async (bench) => {
      const request = bench.request();
      await bench.provider.ensureRunning(request);
      const following = new AbortController();
      const reading = readLogs(bench.provider, request.copy, { follow: true }, following.signal);
      let ended = false;
      const end = reading.finally(() => (ended = true));
      await sayHello(bench, request);
      ok(!ended, 'it ended by itself');
      following.abort();
      await bench.within('following the lines', end);
    },
  },
  {
    id: 'provider/doctor/lines',
    text: 'doctor() names what it looked at, and says what was found or what mends it.',
    notFor: lacks('doctor'),
    run: async ({ provider }) => {
      const lines = (await provider.doctor?.()) ?? [];
      ok(lines.length > 0, 'it says nothing');
      for (const { name, message } of lines) ok(name !== '' && message !== '', `${name}: ${message}`);
    },
  },
];

async function crash(bench: ProviderBench): Promise<{ readonly copy: CopyRef }> {
  const request = bench.request(bench.documents.exiting?.document);
  await bench.provider.ensureRunning(request);
  await exitOf(bench, request.copy);
  return request;
}

/** What makes a copy out; the slug is for reading. */
function key({ instanceId, revision }: CopyRef): readonly unknown[] {
  return [instanceId, revision];
}

async function readLogs(
  provider: Provider,
  copy: CopyRef,
  query: LogQuery,
  signal?: AbortSignal,
): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of provider.logs?.(copy, query, { signal }) ?? []) lines.push(line);
  return lines;
}
