import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint, ExitRecord, LogLine } from '@mcpinfra/core/plugin';
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
  #killTimer: NodeJS.Timeout | undefined;

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
      child.stdin.on('error', () => undefined);
      this.#speech = new SpeechWatch({
        port,
        say: (text) => void child.stdin.write(text),
        onSpeaksStdio: () => this.end(speaksStdio(port)),
      });
      this.#drained = Promise.all([this.#drained, this.#record('stdout', child.stdout)]);
    }
    this.ended = new Promise<void>((resolve) => child.once('exit', () => resolve())).then(() =>
      this.#finish(),
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
      clearTimeout(this.#killTimer);
      if (graceMs > 0) this.#killTimer = setTimeout(() => this.#kill(), graceMs);
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
    clearTimeout(this.#killTimer);
    const survivors = await killMembers(this.membership);
    await Promise.race([this.#drained, delay(drainMs, undefined, { ref: false })]);
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

  // Workers of the server were asked to end as it was, and have the same time.
  async #groupEndsInTime(): Promise<void> {
    while (isGroupAlive(this.#child.pid) && performance.now() < this.#killAtMs) await delay(20);
  }

  async #record(stream: LogLine['stream'], source: Readable): Promise<void> {
    const splitter = new LineSplitter(this.#scrub);
    source.on('error', () => undefined);
    source.on('data', (chunk: Buffer) => this.#log(stream, splitter.push(chunk)));
    await new Promise((resolve) => source.once('close', resolve));
    this.#log(stream, splitter.end());
  }

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
