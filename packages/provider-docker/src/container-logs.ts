import { Readable } from 'node:stream';
import {
  createScrubber,
  type LogLine,
  type LogQuery,
  sleep,
  systemClock,
  throwIfAborted,
} from '@mcpinfra/core/plugin';
import type { Container, ContainerInspectInfo, ContainerLogsOptions } from 'dockerode';
import { knownSecrets } from './container-secrets.js';
import { nameOf, type Containers } from './containers.js';
import type { Engine } from './engine.js';
import type { OwnedRef } from './labels.js';
import { LogReader } from './log-reader.js';
import type { SecretFiles } from './secret-files.js';

// Between two looks at a container that ended, for whether it was started again.
const lookEveryMs = 250;

/** The lines of containers as the engine keeps them, known secret values replaced. */
export class ContainerLogs {
  readonly #engine: Engine;
  readonly #containers: Containers;
  readonly #secretFiles: SecretFiles;

  constructor(parts: {
    readonly engine: Engine;
    readonly containers: Containers;
    readonly secretFiles: SecretFiles;
  }) {
    this.#engine = parts.engine;
    this.#containers = parts.containers;
    this.#secretFiles = parts.secretFiles;
  }

  /** The newest lines that a container wrote since a time, at most `tail`; of a talkative one perhaps fewer. */
  async last(
    owned: OwnedRef,
    container: ContainerInspectInfo,
    about: { readonly tail: number; readonly sinceMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<readonly LogLine[]> {
    const { tail, sinceMs, signal } = about;
    const options = { tail: entriesFor(container, tail), since: (sinceMs / 1_000).toFixed(3) };
    return (await this.#kept(owned, container, { options, signal })).slice(-tail);
  }

  /** A copy's lines; with `follow` over restarts, until aborted or until the container is gone. */
  async *read(owned: OwnedRef, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
    try {
      // Engines count nanoseconds, which here only say where to go on.
      for await (const line of this.#read(owned, query, signal))
        yield { ...line, at: new Date(line.at).toISOString() };
    } catch (error) {
      // Following has no other end than an abort.
      if (query.follow !== true || !signal.aborted) throw error;
    }
  }

  async *#read(owned: OwnedRef, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
    const { tail, follow = false } = query;
    let container = await this.#containers.find(owned, signal);
    let since = (Date.now() / 1_000).toFixed(3);
    if (container && (tail !== undefined || !follow)) {
      const lines = await this.#newest(owned, container, { tail, signal });
      yield* lines;
      const last = lines.at(-1);
      if (last) since = justAfter(last.at);
    } else {
      since = '0';
    }
    while (follow && container && !signal.aborted) {
      const reader = await this.#reader(owned, container);
      for await (const line of this.#lines(container, { since, follow }, { reader, signal })) {
        yield line;
        since = justAfter(line.at);
      }
      container = await this.#again(owned, signal);
    }
  }

  async #newest(
    owned: OwnedRef,
    container: ContainerInspectInfo,
    about: { readonly tail: number | undefined; readonly signal: AbortSignal },
  ): Promise<readonly LogLine[]> {
    const { tail, signal } = about;
    if (tail === undefined) return this.#kept(owned, container, { options: {}, signal });
    if (tail === 0) return [];
    const options = { tail: entriesFor(container, tail) };
    const lines = await this.#kept(owned, container, { options, signal });
    if (lines.length >= tail) return lines.slice(-tail);
    return (await this.#kept(owned, container, { options: {}, signal })).slice(-tail);
  }

  async #kept(
    owned: OwnedRef,
    container: ContainerInspectInfo,
    about: { readonly options: ContainerLogsOptions; readonly signal: AbortSignal | undefined },
  ): Promise<readonly LogLine[]> {
    const { options, signal } = about;
    const reader = await this.#reader(owned, container);
    const bytes = await this.#reading(container, signal, (of, abortSignal) =>
      of.logs({ ...streamsOf(container), ...options, follow: false, abortSignal }),
    );
    return [...reader.push(bytes), ...reader.end()];
  }

  #reading<T>(
    container: ContainerInspectInfo,
    signal: AbortSignal | undefined,
    read: (of: Container, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#engine.ask(`Reading the log of ${nameOf(container)}`, { signal }, (docker, abortSignal) =>
      read(docker.getContainer(container.Id), abortSignal),
    );
  }

  async *#lines(
    container: ContainerInspectInfo,
    options: ContainerLogsOptions,
    about: { readonly reader: LogReader; readonly signal: AbortSignal },
  ): AsyncGenerator<LogLine> {
    const { reader, signal } = about;
    const source = await this.#reading(container, signal, (of, abortSignal) =>
      of.logs({ ...streamsOf(container), ...options, follow: true, abortSignal }),
    );
    const stop = (): void => {
      if (source instanceof Readable) source.destroy();
    };
    signal.addEventListener('abort', stop);
    try {
      for await (const chunk of source) yield* reader.push(Buffer.from(chunk));
    } catch {
      // Ended by the abort, or with the engine.
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
    throwIfAborted(signal);
    yield* reader.end();
  }

  async #again(owned: OwnedRef, signal: AbortSignal): Promise<ContainerInspectInfo | undefined> {
    for (;;) {
      const found = await this.#containers.find(owned, signal);
      if (!found || found.State.Running) return found;
      await sleep(systemClock, lookEveryMs, signal);
      throwIfAborted(signal);
    }
  }

  async #reader(owned: OwnedRef, container: ContainerInspectInfo): Promise<LogReader> {
    return new LogReader(createScrubber(knownSecrets(container, await this.#secretFiles.read(owned))));
  }
}

/**
 * How many entries to ask for to get so many lines. Engines count those of both streams, also where only one is asked
 * for, and the messages of a server over stdio are many more than its log lines.
 */
function entriesFor({ Config: { OpenStdin: isStdio } }: ContainerInspectInfo, lines: number): number {
  return isStdio ? lines * 20 : lines;
}

/** Standard output of a server that is spoken to over it belongs to its client. */
function streamsOf({ Config: { OpenStdin: isStdio } }: ContainerInspectInfo): ContainerLogsOptions {
  return { stdout: !isStdio, stderr: true, timestamps: true };
}

/** The moment after a line, as engines take it; a number would lose the nanoseconds. */
function justAfter(at: string): string {
  const seconds = Math.floor(Date.parse(at) / 1_000);
  const digits = /\.(\d+)/u.exec(at)?.[1] ?? '';
  const nanoseconds = Number(digits.padEnd(9, '0').slice(0, 9)) + 1;
  return nanoseconds < 1e9
    ? `${String(seconds)}.${String(nanoseconds).padStart(9, '0')}`
    : `${String(seconds + 1)}.0`;
}
