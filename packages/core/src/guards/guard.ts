import { isThenable } from '../async/thenable.js';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import { mcpError, type MCPInfraError } from '../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../domain/errors/normalise-error.js';
import { quoteValue } from '../domain/json-spec/quote-value.js';
import type { Clock } from '../ports/clock.js';
import type { CallOptions } from '../ports/common.js';
import type { Logger } from '../ports/logger.js';
import { underSignals } from '../async/abort.js';
import { edge } from '../async/edge.js';
import { type Bounds, withBounds } from '../async/deadline.js';
import { defaultDeadlines, type Deadlines } from './guard-deadlines.js';
import { traced, type GuardedPort } from './guard-tracing.js';

/** What every guard needs. */
export interface GuardOptions {
  readonly clock: Clock;
  /** One that does not throw, see `safeLogger`. */
  readonly logger: Logger;
  /** Deadlines other than the default ones. */
  readonly deadlines?: Partial<Deadlines> | undefined;
}

/** Which plugin a guard stands before. */
export interface GuardedPlugin {
  readonly port: GuardedPort;
  /** Its name in errors, logs and traces. */
  readonly name: string;
  readonly specificationVersion: string;
  /** What a failure is called that the plugin did not name itself. */
  readonly code: ErrorCode;
  /** Whether the plugin has to be opened before it is called. */
  readonly opens: boolean;
}

/** What a method may answer. */
export interface Answer<T> {
  /** As the object of a sentence. */
  readonly expected: string;
  readonly fits: (answer: T) => boolean;
}

/** How one call is made. */
export interface GuardedCallOptions<T> {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether it ends, too, when closing begins. @defaultValue false */
  readonly endsAtClose?: boolean | undefined;
  /** Undoes what a result that came too late has brought. */
  readonly onLate?: ((value: T) => void | Promise<void>) | undefined;
}

/**
 * What all calls of core to one plugin go through: opened once, bounded in time, abortable, errors of this library only.
 *
 * `TOpened` is what opening the plugin gives.
 */
export class Guard<TOpened = void> {
  readonly deadlines: Deadlines;
  readonly #plugin: GuardedPlugin;
  /** The plugin as the subject of a sentence. */
  readonly #subject: string;
  readonly #options: GuardOptions;
  readonly #background = new Set<Promise<void>>();
  /** What ends each call under way. */
  readonly #underway = new Set<(error: MCPInfraError) => void>();
  /** Aborted when closing begins: ends an opening under way. */
  readonly #lifetime = new AbortController();
  #opening: Promise<TOpened> | undefined;
  #openAsked = false;
  #opened: boolean;
  #closing: Promise<void> | undefined;
  #closeWork: ((bounds: Bounds) => Promise<void>) | undefined;

  /** @throws `SPECIFICATION_VERSION_UNSUPPORTED` */
  constructor(plugin: GuardedPlugin, options: GuardOptions) {
    if (plugin.specificationVersion !== 'v1') {
      throw mcpError(
        'SPECIFICATION_VERSION_UNSUPPORTED',
        `Expected ${describe(plugin)} to have specificationVersion "v1", got ${JSON.stringify(plugin.specificationVersion)}; ` +
          'install the version of the plugin that was made for this version of the core.',
      );
    }
    this.deadlines = { ...defaultDeadlines, ...options.deadlines };
    this.#plugin = plugin;
    this.#subject = describe(plugin);
    this.#options = options;
    this.#opened = !plugin.opens;
  }

  /** Whether closing has begun. */
  get closed(): boolean {
    return this.#lifetime.signal.aborted;
  }

  /**
   * Opens the plugin once; whoever asks meanwhile shares the attempt, and with it the signal of the first. After a
   * failure the next one to ask tries again.
   */
  open(options: CallOptions | undefined, work: (bounds: Bounds) => Promise<TOpened>): Promise<TOpened> {
    if (this.closed) return Promise.reject(this.#closedError());
    this.#opening ??= this.#open(options?.signal, work);
    return this.#opening;
  }

  /**
   * Closes the plugin once, after the clean-up of late results. An opening and calls under way are ended, further ones are
   * refused from now on. After a failure the next one to ask tries again.
   *
   * A plugin that nobody opened is left alone; one whose opening failed is closed, since it may hold something.
   */
  close(options: CallOptions | undefined, work: (bounds: Bounds) => Promise<void>): Promise<void> {
    this.#closeWork = work;
    this.#lifetime.abort(this.#closedError());
    for (const end of [...this.#underway]) end(this.#closedError());
    this.#closing ??= this.#close(options?.signal, work);
    return this.#closing;
  }

  /**
   * Makes a call, traced. Closing ends it.
   *
   * @throws `NOT_STARTED` before it is open, `ALREADY_STOPPED` once it is closed
   */
  async call<T>(
    method: string,
    options: GuardedCallOptions<T>,
    work: (bounds: Bounds) => Promise<T>,
  ): Promise<T> {
    this.assertOpen(method);
    return this.#traced(method, () => this.bounded(method, { ...options, endsAtClose: true }, work));
  }

  /**
   * Makes a call that may take long once it has told of its progress; until then it has the deadline of any other.
   *
   * @throws as {@link Guard.call}
   */
  async untilProgress<T>(
    method: string,
    options: GuardedCallOptions<T>,
    work: (bounds: Bounds, progressed: () => void) => Promise<T>,
  ): Promise<T> {
    const { callMs } = this.deadlines;
    const silent = new AbortController();
    const progressed = this.#options.clock.schedule(callMs, () => {
      silent.abort(timeoutError(`${method}() of ${this.#subject}`, callMs));
    });
    try {
      return await underSignals([options.signal, silent.signal], (signal) =>
        this.call(method, { ...options, signal }, (bounds) => work(bounds, progressed)),
      );
    } finally {
      progressed();
    }
  }

  /** Makes a call that is bounded in time and fails with errors of this library only, whatever state the plugin is in. */
  async bounded<T>(
    method: string,
    options: GuardedCallOptions<T>,
    work: (bounds: Bounds) => Promise<T>,
  ): Promise<T> {
    const what = `${method}() of ${this.#subject}`;
    try {
      return await withBounds(work, {
        clock: this.#options.clock,
        timeoutMs: options.timeoutMs,
        signals: [options.signal],
        underway: options.endsAtClose === true ? this.#underway : undefined,
        onLate: options.onLate,
        what,
        expired: () => timeoutError(what, options.timeoutMs),
        onLateError: (error) => this.warn(`Could not undo what ${what} brought too late`, error),
      });
    } catch (error) {
      throw this.named(method, error);
    }
  }

  /** Makes an error of this library of whatever a method threw. */
  named(method: string, error: unknown): MCPInfraError {
    return normaliseError(error, this.#plugin.code, `${method}() of ${this.#subject} failed`);
  }

  /** The error of an answer that the port does not allow. */
  breach(method: string, expected: string, got: unknown): MCPInfraError {
    const what = isThenable(got) ? 'a promise' : quoteValue(got, ['answer']);
    return mcpError(
      'PLUGIN_CONTRACT',
      `Expected ${method}() of ${this.#subject} to give ${expected}, got ${what}.`,
    );
  }

  /** Takes the answer of a method. @throws `PLUGIN_CONTRACT` for one that its port does not allow */
  fitting<T>(method: string, answer: T, { expected, fits }: Answer<T>): T {
    if (fits(answer)) return answer;
    throw this.breach(method, expected, answer);
  }

  /**
   * Takes the answer of a method that answers at once. A promise that comes in its place is heard to its end, so that its
   * rejection ends nothing.
   *
   * @throws `PLUGIN_CONTRACT`
   */
  atOnce<T>(
    method: string,
    answer: T,
    { onLate, ...allowed }: Answer<T> & { readonly onLate?: ((late: unknown) => void) | undefined },
  ): T {
    if (!allowed.fits(answer) && isThenable(answer)) {
      void this.background(method, this.deadlines.callMs, async () => {
        const late = await answer;
        onLate?.(late);
      });
    }
    return this.fitting(method, answer, allowed);
  }

  /** @throws `NOT_STARTED` before it is open, `ALREADY_STOPPED` once it is closed */
  assertOpen(method: string): void {
    if (this.closed) throw this.#closedError();
    if (this.#opened) return;
    throw mcpError(
      'NOT_STARTED',
      `Expected ${this.#subject} to be open before ${method}() is called; wait for start() first.`,
    );
  }

  /** Does in the background what nobody waits for but `close`; a failure is logged. */
  background(doing: string, timeoutMs: number, work: (bounds: Bounds) => Promise<void>): Promise<void> {
    const done = this.bounded(doing, { timeoutMs }, work)
      .catch((error: unknown) => this.warn(`${doing}() in the background failed`, error))
      .finally(() => this.#background.delete(done));
    this.#background.add(done);
    return done;
  }

  /** Calls what ends something and answers nothing; what it throws, at once or later, is logged. */
  letGo(doing: string, end: () => void | Promise<void>): void {
    edge((error) => this.warn(`${doing} failed`, error), end)();
  }

  /** Logs what went wrong where no caller can be told. */
  warn(message: string, error: unknown): void {
    const { port, name } = this.#plugin;
    this.#options.logger.warn(message, { port, plugin: name, error: messageOf(error) });
  }

  async #open(signal: AbortSignal | undefined, work: (bounds: Bounds) => Promise<TOpened>): Promise<TOpened> {
    this.#openAsked = true;
    const timeoutMs = this.deadlines.openMs;
    try {
      const opened = await this.#traced('open', () =>
        underSignals([signal, this.#lifetime.signal], (ends) =>
          this.bounded('open', { timeoutMs, signal: ends, onLate: () => this.#onLateOpen() }, work),
        ),
      );
      this.#opened = true;
      return opened;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  /** Kept for the next try or for `close`; once that is over nobody else will let go of it. */
  async #onLateOpen(): Promise<void> {
    if (this.#closeWork === undefined) return;
    await this.background('close', this.deadlines.closeMs, this.#closeWork);
  }

  async #close(signal: AbortSignal | undefined, work: (bounds: Bounds) => Promise<void>): Promise<void> {
    if (!this.#openAsked && this.#plugin.opens) return;
    try {
      await this.#traced('close', async () => {
        await this.#settleBackground(signal);
        await this.bounded('close', { timeoutMs: this.deadlines.closeMs, signal }, work);
      });
    } catch (error) {
      this.#closing = undefined;
      throw error;
    }
  }

  /** Has a deadline of its own: a clean-up that hangs must not keep the plugin from being closed. */
  async #settleBackground(signal: AbortSignal | undefined): Promise<void> {
    const all = (): Promise<unknown> => Promise.all(this.#background);
    await this.bounded<unknown>('close', { timeoutMs: this.deadlines.closeMs, signal }, all).catch(
      (error: unknown) =>
        this.warn('Closing without waiting any longer for what goes on in the background', error),
    );
  }

  #traced<T>(method: string, work: () => Promise<T>): Promise<T> {
    const { port, name } = this.#plugin;
    return traced(port, { plugin: name, method }, work);
  }

  #closedError(): MCPInfraError {
    return mcpError(
      'ALREADY_STOPPED',
      `Expected ${this.#subject} to be open, but it was closed; create a new infra to go on.`,
    );
  }
}

function timeoutError(what: string, timeoutMs: number): MCPInfraError {
  return mcpError(
    'PLUGIN_TIMEOUT',
    `${what} did not answer within ${timeoutMs} ms; look whether its backend is reachable and not overloaded.`,
    { details: { timeoutMs } },
  );
}

function describe({ port, name }: GuardedPlugin): string {
  return name === port ? `the ${port}` : `the ${port} "${name}"`;
}
