import { inSeconds } from '../domain/in-seconds.js';
import type { Client, Transport } from '@modelcontextprotocol/client';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import type { HandshakeRecord } from '../domain/instance/instance-record.js';
import type { CallOptions } from '../ports/common.js';
import type {
  ConnectOptions,
  LinkTarget,
  MCPLink,
  ProbeReport,
  ProbeRequest,
  ToolCall,
  ToolCallOptions,
  ToolCallResult,
} from '../ports/mcp-link.js';
import { CallCounter } from './call-counter.js';
import { callTool } from './call-tool.js';
import { ClientPool } from './client-pool.js';
import { abortError } from '../async/abort.js';
import { withDeadline } from '../async/deadline.js';
import { type DialedServer, Dialer, type LinkContext } from './dialer.js';
import { closeStepMs } from './http/end-session.js';
import { shown } from './network-error.js';
import { normaliseSDKError } from './normalise-sdk-error.js';
import { openClient } from './open-client.js';
import { type Climbed, climbLadder } from './probe-ladder.js';
import type { OpenSession } from './server-connection.js';
import type { ServerHello } from './server-hello.js';

/** Opening a session takes a few short questions, however long a tool may run. */
const openTimeoutMs = 30_000;

/** A probe waits so long for a way to the server, however long the server may then take to answer. */
const probeDialMs = 10_000;

/** What a dial fails with that could not ask for the server at all. */
const awayCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PLUGIN_TIMEOUT',
  'PLACEMENT_UNREACHABLE',
  'PROVIDER_FAILED',
  'SECRET_BACKEND_FAILED',
]);

/** The link to one copy: dials when it has to, and owns whatever it opens. */
export class ServerLink implements MCPLink {
  readonly #target: LinkTarget;
  readonly #context: LinkContext;
  readonly #counter = new CallCounter();
  /** Sessions given away, those being opened included. */
  readonly #sessions = new CallCounter();
  readonly #closing = new AbortController();
  readonly #transports = new Set<Transport>();
  readonly #listeners: (() => void)[] = [];
  readonly #pool = new ClientPool(() => this.#connectPooled());
  readonly #dialer: Dialer;
  #reported: ServerHello | null = null;
  #lastByteMs: number;
  /** How often the server said that its tools changed, and how often it had when they were last listed. */
  #toolChanges = 0;
  #listedChanges = 0;
  #closed: Promise<void> | null = null;

  constructor(target: LinkTarget, context: LinkContext) {
    this.#target = target;
    this.#context = context;
    this.#lastByteMs = context.clock.monotonicMs();
    this.#dialer = new Dialer({
      target,
      context,
      counter: this.#counter,
      closing: this.#closing.signal,
      onBytes: () => (this.#lastByteMs = context.clock.monotonicMs()),
      onToolsChanged: () => {
        this.#toolChanges += 1;
        for (const listener of this.#listeners) listener();
      },
    });
  }

  get callsInFlight(): number {
    return this.#counter.inFlight;
  }

  get lastByteMs(): number {
    return this.#lastByteMs;
  }

  get toolsStale(): boolean {
    return this.#listedChanges < this.#toolChanges;
  }

  async probe(request: ProbeRequest, options: CallOptions = {}): Promise<ProbeReport> {
    const { clock } = this.#context;
    const startedMs = clock.monotonicMs();
    const passed = (unauthorized: boolean, handshake: HandshakeRecord | null): ProbeReport => ({
      ok: true,
      latencyMs: clock.monotonicMs() - startedMs,
      unauthorized,
      handshake,
    });
    let dialed = false;
    try {
      await this.#dialForProbe(options);
      dialed = true;
      const ask = (): Promise<Climbed> => this.#climb(request, options);
      const { hello, handshake } = await (request.turn ? request.turn(ask) : ask());
      this.#reported = hello ?? this.#reported;
      return passed(false, handshake);
    } catch (error) {
      if (options.signal?.aborted === true) throw abortError(options.signal);
      const { code, message, details } = normaliseSDKError(error, { method: 'the probe' });
      // Only a status says that it was the server itself that refused.
      if (code === 'UNAUTHORIZED' && 'status' in details) return passed(true, null);
      return { ok: false, code, message, unreachable: !dialed && awayCodes.has(code) };
    }
  }

  async connect({ onEnded, ...options }: ConnectOptions = {}): Promise<Client> {
    return this.#given(onEnded, (ended) =>
      this.#opening(options, (signal) => this.#openClient(signal, ended)),
    );
  }

  async openSession(options: CallOptions = {}): Promise<Transport> {
    return this.#given(undefined, (ended) =>
      this.#opening(options, async (signal) => {
        const server = await this.#dialer.get(signal);
        try {
          const session = await server.connection.openSession(signal);
          this.#own(session, ended);
          return session.transport;
        } catch (error) {
          const failure = normaliseSDKError(error, {
            method: 'opening a session',
            url: server.endpoint?.url,
          });
          this.#loseUnreachable(server, failure);
          throw failure;
        }
      }),
    );
  }

  /** Counts a session from before it is opened until it has ended or could not be opened. */
  async #given<T>(onEnded: (() => void) | undefined, open: (ended: () => void) => Promise<T>): Promise<T> {
    this.#sessions.begin();
    let counts = true;
    const ended = (): void => {
      if (!counts) return;
      counts = false;
      this.#sessions.end();
      onEnded?.();
    };
    try {
      return await open(ended);
    } catch (error) {
      ended();
      throw error;
    }
  }

  #opening<T>(options: CallOptions, open: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const expired = () =>
      mcpError('REQUEST_TIMEOUT', `The server did not open a session within ${inSeconds(openTimeoutMs)}.`);
    const { clock } = this.#context;
    const signals = [options.signal, this.#closing.signal];
    return withDeadline(open, { clock, timeoutMs: openTimeoutMs, signals, expired });
  }

  async callTool(call: ToolCall, options: ToolCallOptions = {}): Promise<ToolCallResult> {
    const { timeoutMs = this.#target.callTimeoutMs, onProgress } = options;
    const expired = () =>
      mcpError(
        'REQUEST_TIMEOUT',
        `The tool ${call.name} did not answer within ${inSeconds(timeoutMs)} and was cancelled.`,
      );
    const { clock } = this.#context;
    // A call in flight is not ended by the signal of closing, but by the end of its session: its outcome is unknown.
    return withDeadline((signal) => callTool(this.#pool, call, { signal, onProgress }), {
      clock,
      timeoutMs,
      signals: [options.signal],
      expired,
    });
  }

  onToolsChanged(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async drained(options: CallOptions = {}): Promise<void> {
    await this.#counter.drained(options);
  }

  async vacated(options: CallOptions = {}): Promise<void> {
    while (this.#sessions.inFlight > 0 || this.#counter.inFlight > 0) {
      await this.#sessions.drained(options);
      await this.#counter.drained(options);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(mcpError('CONNECTION_CLOSED', 'The link to the server was closed.'));
    await Promise.all([...this.#transports].map((transport) => this.#bounded(() => transport.close())));
    await this.#bounded(() => this.#dialer.close());
  }

  async #bounded(work: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#context;
    const expired = () => mcpError('REQUEST_TIMEOUT', `A connection did not close in ${closeStepMs} ms.`);
    await withDeadline(work, { clock, timeoutMs: closeStepMs, expired }).catch((error: unknown) => {
      logger.debug('a connection did not close cleanly', { instanceId: this.#target.instanceId, error });
    });
  }

  /** Finds the way to the server, with a deadline of its own: an engine that hangs is no fault of the server. */
  async #dialForProbe({ signal }: CallOptions): Promise<void> {
    const expired = () =>
      mcpError('PLUGIN_TIMEOUT', `No way to the server was found within ${inSeconds(probeDialMs)}.`);
    await withDeadline((ends) => this.#dialer.get(ends), {
      clock: this.#context.clock,
      timeoutMs: probeDialMs,
      signals: [signal, this.#closing.signal],
      expired,
    });
  }

  async #climb(request: ProbeRequest, options: CallOptions): Promise<Climbed> {
    const { clock } = this.#context;
    const { timeoutMs } = request;
    let step = 'dialling';
    let at = '';
    const expired = () =>
      mcpError(
        'REQUEST_TIMEOUT',
        `The server${at} did not answer within ${inSeconds(timeoutMs)} (during ${step}).`,
      );
    const signals = [options.signal, this.#closing.signal];
    const climb = async (signal: AbortSignal): Promise<Climbed> => {
      const server = await this.#dialer.get(signal);
      at = server.endpoint === null ? '' : ` at ${shown(server.endpoint.url)}`;
      const onStep = (next: string): void => {
        step = next;
      };
      const heard = this.#toolChanges;
      try {
        const climbed = await climbLadder({
          server,
          request,
          clock,
          reported: this.#reported,
          signal,
          onStep,
        });
        // What the server says while it is listed may be missing from the list.
        if (climbed.handshake) this.#listedChanges = Math.max(this.#listedChanges, heard);
        return climbed;
      } catch (error) {
        this.#loseUnreachable(server, error);
        throw error;
      }
    };
    return withDeadline(climb, { clock, timeoutMs, signals, expired });
  }

  async #openClient(signal: AbortSignal, ended?: () => void): Promise<Client> {
    const server = await this.#dialer.get(signal);
    for (let again = true; ; again = false) {
      try {
        const session = await server.connection.openSession(signal);
        this.#own(session, ended);
        return await openClient(session, { ...this.#context, signal });
      } catch (error) {
        if (signal.aborted) throw abortError(signal);
        const failure = normaliseSDKError(error, { method: 'opening a session', url: server.endpoint?.url });
        this.#loseUnreachable(server, failure);
        const wrongEra = ['PROTOCOL_ERROR', 'HTTP_STATUS', 'ERA_MISMATCH'].includes(failure.code);
        if (!wrongEra || !again || !server.connection.forgetEra()) throw failure;
      }
    }
  }

  /** Opens the client for all who need none of their own; over modern HTTP it has to ask to be told of changes. */
  async #connectPooled(): Promise<Client> {
    // Not counted: whoever calls on it is.
    const client = await this.#opening({}, (signal) => this.#openClient(signal));
    const tellsToolChanges = client.getServerCapabilities()?.tools?.listChanged === true;
    if (
      tellsToolChanges &&
      client.getProtocolEra() === 'modern' &&
      client.transport?.hasPerRequestStream === true
    ) {
      client.listen({ toolsListChanged: true }, { timeout: openTimeoutMs }).catch((error: unknown) => {
        this.#context.logger.debug('the server tells no changes', {
          instanceId: this.#target.instanceId,
          error,
        });
      });
    }
    return client;
  }

  /** Keeps a session among those that end with the link, until it ends by itself. */
  #own({ transport }: OpenSession, ended?: () => void): void {
    const { onclose } = transport;
    this.#transports.add(transport);
    transport.onclose = () => {
      this.#transports.delete(transport);
      onclose?.();
      ended?.();
    };
  }

  /** A server that refuses connections may be back at another address. */
  #loseUnreachable(server: DialedServer, error: unknown): void {
    if (MCPInfraError.isInstance(error) && error.code === 'CONNECTION_REFUSED') this.#dialer.lose(server);
  }
}
