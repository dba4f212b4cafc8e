import {
  type Clock,
  type CopyRef,
  createScrubber,
  type ExitRecord,
  type JsonSpec,
  type LogLine,
  mcpError,
  type Observation,
  type OwnedCopy,
  revealText,
  type RunRequest,
  Secret,
  type StdioChannel,
  type StopRequest,
} from '../plugin.js';
import { InProcessServer } from './in-process-server.js';
import { KeptLines } from './kept-lines.js';
import { MemoryChannel } from './memory-channel.js';
import type { TestTools } from './tools.js';

/** How a server ends by itself. */
export interface CrashOptions {
  /** @defaultValue 1, or none where a signal is given */
  readonly exitCode?: number | undefined;
  /** The signal that ended it, for example `SIGKILL`. */
  readonly signal?: string | undefined;
  /** What it writes before its end. */
  readonly lines?: readonly string[] | undefined;
}

/** A copy as its provider knows it. */
export interface HostedCopy {
  readonly copy: CopyRef;
  readonly instanceName: string;
}

/** What a copy needs of its provider. */
export interface CopyHost {
  readonly fleet: string;
  readonly storeId: string;
  readonly clock: Clock;
  tools(): TestTools;
  /** Whether the server of a copy is to answer nothing at the moment. */
  hangs(copy: HostedCopy): boolean;
}

const keptLogLines = 20;

/** One copy of an instance: what a container is to an engine. */
export class FakeCopy<TSpec extends JsonSpec> implements HostedCopy {
  readonly copy: CopyRef;
  readonly fleet: string;
  readonly storeId: string;
  readonly instanceName: string;
  readonly spec: TSpec;
  readonly createdAt: string;
  readonly lines = new KeptLines();
  readonly #host: CopyHost;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #scrub: (text: string) => string;
  readonly #channels = new Set<MemoryChannel>();
  /** What came while the server hung. */
  #backlog: string[] = [];
  #run: { readonly server: InProcessServer; readonly startedAt: string } | undefined;
  #channel: MemoryChannel | undefined;
  #exit: ExitRecord | undefined;

  constructor(
    request: RunRequest<TSpec>,
    environment: Readonly<Record<string, string | Secret>>,
    host: CopyHost,
  ) {
    this.copy = request.copy;
    this.spec = request.spec;
    this.instanceName = request.instanceName;
    this.fleet = host.fleet;
    this.storeId = host.storeId;
    this.createdAt = timeOf(host.clock);
    this.#host = host;
    const variables = Object.entries(environment);
    this.#environment = Object.fromEntries(variables.map(([name, value]) => [name, revealText(value)]));
    this.#scrub = createScrubber(
      variables.flatMap(([, value]) => (value instanceof Secret ? [value.reveal()] : [])),
    );
  }

  get state(): OwnedCopy['state'] {
    return this.#run ? 'running' : 'exited';
  }

  /** How many channels their owners have not let go of. */
  get openChannels(): number {
    return this.#channels.size;
  }

  /** Starts the server; one that runs is left alone. */
  start(): void {
    if (this.#run) return;
    const { copy, instanceName, spec } = this;
    const server = new InProcessServer({
      name: instanceName,
      era: spec.protocol_era ?? 'legacy',
      tools: () => this.#host.tools(),
      context: {
        environment: this.#environment,
        instanceId: copy.instanceId,
        log: (line) => this.#log('stderr', line),
      },
      write: (line) => this.#channel?.write(line),
    });
    this.#exit = undefined;
    this.#backlog = [];
    this.#run = { server, startedAt: timeOf(this.#host.clock) };
  }

  observe(): Observation {
    if (this.#run)
      return { state: 'running', startedAt: this.#run.startedAt, endpoint: { transport: 'stdio' } };
    return this.#exit ? { state: 'exited', exit: this.#exit } : { state: 'absent' };
  }

  /** Lends the streams of the server; whoever had them before has lost them. */
  openChannel(): StdioChannel {
    this.#channel?.endOutput();
    const channel = new MemoryChannel({
      wasUsed: this.#channel !== undefined,
      onLine: (line) => {
        if (channel === this.#channel) this.#take(line);
      },
      onClosed: () => this.#channels.delete(channel),
    });
    this.#channels.add(channel);
    this.#channel = channel;
    return channel;
  }

  /** Goes on after it hung. */
  resume(): void {
    for (const line of this.#backlog.splice(0)) this.#take(line);
  }

  tellToolsChanged(): void {
    this.#run?.server.tellToolsChanged();
  }

  /** Ends the server as if by itself. */
  crash({ signal, exitCode, lines = [] }: CrashOptions): void {
    for (const line of lines) this.#log('stderr', line);
    this.#end({ exitCode: exitCode ?? (signal === undefined ? 1 : null), signal: signal ?? null });
  }

  /** Ends the server on request. One that hangs hears no request, so it is given its grace and then killed. */
  async stop({ graceMs }: StopRequest, signal: AbortSignal | undefined): Promise<void> {
    if (this.#run && this.#host.hangs(this)) {
      await waitFor(this.#host.clock, graceMs, signal);
      this.#end({ exitCode: null, signal: 'SIGKILL' });
    } else {
      this.#end({ exitCode: 0, signal: null });
    }
  }

  #end(how: Pick<ExitRecord, 'exitCode' | 'signal'>): void {
    if (!this.#run) return;
    this.#run.server.end();
    this.#run = undefined;
    this.#channel?.endOutput();
    this.#channel = undefined;
    const at = timeOf(this.#host.clock);
    this.#exit = { at, ...how, oomKilled: false, lastLogLines: this.lines.tail(keptLogLines) };
  }

  #take(line: string): void {
    if (this.#host.hangs(this)) this.#backlog.push(line);
    else this.#run?.server.receive(line);
  }

  #log(stream: LogLine['stream'], text: string): void {
    this.lines.append({ at: timeOf(this.#host.clock), stream, text: this.#scrub(text) });
  }
}

function timeOf(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

function waitFor(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel();
      reject(mcpError('ABORTED', 'The stop was aborted; the server still runs.', { cause: signal?.reason }));
    };
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
