import type { Readable } from 'node:stream';
import {
  edge,
  type Endpoint,
  type ExitRecord,
  finishingClock,
  ignoreError,
  type LogLine,
  messageOf,
  sleep,
  systemClock,
  TokenBucket,
} from '@mcpinfra/core/plugin';
import { killMembers, type Membership } from './copy-members.js';
import { toExitRecord, type Verdict } from './exit-verdict.js';
import { LineSplitter } from './line-splitter.js';
import type { LogRing } from './log-ring.js';
import { isGroupAlive, signalGroup } from './process-group.js';
import type { SpawnedServer } from './spawn-server.js';
import { SpeechWatch } from './speech-watch.js';
import { StdioPipes } from './stdio-pipes.js';

// Pipes are empty soon after everybody who could write into them is dead.
const drainMs = 250;

// What a server writes beside its messages, in bytes: more than anybody reads, little enough to cost little.
const logRate = { perSecond: 1024 * 1024, burst: 8 * 1024 * 1024 };
const monotonic = { monotonicMs: () => performance.now() };

/** What a {@link ServerRun} is made of. */
export interface ServerRunOptions {
  readonly child: SpawnedServer;
  readonly endpoint: Endpoint;
  /** The port of a server over HTTP. */
  readonly port: number | undefined;
  readonly logs: LogRing;
  readonly scrub: (text: string) => string;
  /** Recognises the processes of the copy. */
  readonly isMeant: Membership['isMeant'];
}

/** One run of a server: from its start until nothing of it is left. */
export class ServerRun {
  readonly startedAt = new Date().toISOString();
  readonly endpoint: Endpoint;
  readonly port: number | undefined;
  readonly membership: Membership;
  /** The standard streams, of a server over stdio. */
  readonly pipes: StdioPipes | undefined;
  /** Resolves when the server and all it started have ended; the processes that resisted are named beside it. */
  readonly ended: Promise<RunEnd>;
  readonly #child: SpawnedServer;
  readonly #logs: LogRing;
  readonly #scrub: (text: string) => string;
  readonly #firstLine: number;
  readonly #speech: SpeechWatch | undefined;
  #drained: Promise<unknown>;
  #verdict: Verdict | undefined;
  #isStopping = false;
  #killAtMs = Infinity;
  #cancelKill: () => void = () => undefined;

  constructor(options: ServerRunOptions) {
    const { child, endpoint, port, logs } = options;
    this.endpoint = endpoint;
    this.port = port;
    this.membership = { isMeant: options.isMeant, session: child.pid };
    this.#child = child;
    this.#logs = logs;
    this.#scrub = options.scrub;
    this.#firstLine = logs.nextNumber;
    this.#drained = this.#record('stderr', child.stderr);
    if (port === undefined) {
      this.pipes = new StdioPipes(child.stdin, child.stdout);
    } else {
      child.stdin.on('error', ignoreError);
      this.#speech = new SpeechWatch({
        port,
        say: (text) => void child.stdin.write(text),
        onSpeaksStdio: () => this.end(speaksStdio(port)),
      });
      this.#drained = Promise.all([this.#drained, this.#record('stdout', child.stdout)]);
    }
    this.ended = new Promise((resolve) => child.once('exit', resolve)).then(() =>
      this.#finish().catch(this.#finishBadly),
    );
  }

  /** Whether the server's own process is alive. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Whether somebody asked it to end. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Ends the run by force and keeps why. */
  end(verdict: Verdict): void {
    if (!this.isRunning || this.#isStopping) return;
    this.#verdict = verdict;
    this.#kill();
  }

  /**
   * Ends the run: asks it to, and kills what is left of its process group after the grace. Asked again, the shorter
   * grace counts.
   */
  stop(graceMs: number): Promise<RunEnd> {
    if (!this.#isStopping && graceMs > 0 && this.isRunning) {
      this.#child.stdin.end();
      signalGroup(this.#child.pid, 'SIGTERM');
    }
    this.#isStopping = true;
    const killAtMs = performance.now() + graceMs;
    if (killAtMs < this.#killAtMs) {
      this.#killAtMs = killAtMs;
      this.#cancelKill();
      if (graceMs > 0) this.#cancelKill = finishingClock.schedule(graceMs, () => this.#kill());
      else this.#kill();
    }
    return this.ended;
  }

  /** Kills the process group at once, for a host that is going down and cannot wait. */
  killNow(): void {
    this.#kill();
  }

  #kill(): void {
    // Once the child is reaped its number may be anybody's; what is left of the group is then found by its marks.
    if (this.isRunning) signalGroup(this.#child.pid, 'SIGKILL');
  }

  async #finish(): Promise<RunEnd> {
    const at = new Date();
    this.#speech?.stop();
    if (this.#isStopping) await this.#groupEndsInTime();
    this.#cancelKill();
    const survivors = await killMembers(this.membership);
    await Promise.race([this.#drained, sleep(systemClock, drainMs)]);
    this.pipes?.destroy();
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();

    if (!this.#isStopping && this.#speech?.speaksStdio === true && this.port !== undefined)
      this.#verdict ??= speaksStdio(this.port);
    if (this.#verdict) this.#log('stderr', [`[mcpinfra] ${this.#verdict.sentence}`]);
    const exit = toExitRecord({
      at,
      exitCode: this.#child.exitCode,
      signal: this.#child.signalCode,
      lines: this.#logs.since(this.#firstLine).map((line) => this.#scrub(line.text)),
      verdict: this.#verdict,
      wasStopped: this.#isStopping,
    });
    return { exit, survivors };
  }

  /** The run has ended, whatever goes wrong with looking at how. */
  readonly #finishBadly = (error: unknown): RunEnd => {
    const { exitCode, signalCode: signal } = this.#child;
    const sentence = `How the server ended could not be looked at: ${messageOf(error)}`;
    const verdict: Verdict = this.#verdict ?? { code: 'INTERNAL', sentence };
    const exit = toExitRecord({
      at: new Date(),
      exitCode,
      signal,
      lines: [`[mcpinfra] ${verdict.sentence}`],
      verdict,
      wasStopped: this.#isStopping,
    });
    return { exit, survivors: [] };
  };

  // Workers of the server were asked to end as it was, and have the same time.
  async #groupEndsInTime(): Promise<void> {
    while (performance.now() < this.#killAtMs && (await isGroupAlive(this.#child.pid)))
      await sleep(finishingClock, 20);
  }

  async #record(stream: LogLine['stream'], source: Readable): Promise<void> {
    const splitter = new LineSplitter(this.#scrub);
    const rate = new TokenBucket({ clock: monotonic, ...logRate });
    let leftOut = 0;
    const sayLeftOut = (): void => {
      if (leftOut > 0) this.#log(stream, [`[mcpinfra] ${leftOut} bytes came too fast and are left out`]);
      leftOut = 0;
    };
    const onData = (chunk: Buffer): void => {
      if (rate.spend(0) > 0) {
        // Neither is the server held back, nor is there time to look at all of it.
        if (leftOut === 0) splitter.skipLine();
        leftOut += chunk.length;
        return;
      }
      rate.spend(chunk.length);
      sayLeftOut();
      this.#log(stream, splitter.push(chunk));
    };
    source.on('error', ignoreError);
    source.on('data', edge(this.#onLogError, onData));
    await new Promise<void>((resolve) => source.once('close', resolve));
    const onEnd = (): void => {
      sayLeftOut();
      this.#log(stream, splitter.end());
    };
    edge(this.#onLogError, onEnd)();
  }

  /** A line that cannot be kept is lost; the server goes on. */
  readonly #onLogError = (error: unknown): void => {
    const text = `[mcpinfra] what the server wrote could not be kept: ${messageOf(error)}`;
    this.#logs.append([{ at: new Date().toISOString(), stream: 'stderr', text }]);
  };

  #log(stream: LogLine['stream'], texts: readonly string[]): void {
    if (texts.length === 0) return;
    if (stream === 'stdout') for (const text of texts) this.#speech?.heard(text);
    const at = new Date().toISOString();
    this.#logs.append(texts.map((text) => ({ at, stream, text })));
  }
}

/** How a run ended, and which of its processes could not be ended. */
export interface RunEnd {
  readonly exit: ExitRecord;
  readonly survivors: readonly number[];
}

function speaksStdio(port: number): Verdict {
  return {
    code: 'SPEAKS_STDIO',
    sentence:
      `Nobody listens on port ${port}, but the server writes MCP messages to its standard output: ` +
      'remove json_spec.port, or set transport: stdio.',
  };
}
