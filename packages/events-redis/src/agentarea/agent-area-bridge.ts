import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import {
  type Event,
  KeyedTurns,
  mcpError,
  MCPInfraError,
  messageOf,
  Once,
  Recurring,
  systemClock,
  type Logger,
} from '@mcpinfra/core/plugin';
import { Connection } from '../connection/connection.js';
import type { AgentAreaInfra } from './agent-area-infra.js';
import {
  resolveBridgeOptions,
  type AgentAreaBridgeOptions,
  type ResolvedBridge,
} from './agent-area-options.js';
import { ChannelSource } from './channel-source.js';
import { CommandExecutor, eventLabel } from './command-executor.js';
import { decodeMessage } from './decode-message.js';
import { PlatformNotes } from './platform-notes.js';
import { PlatformVoice } from './platform-voice.js';
import { retrying } from './retrying.js';
import { toldTypes } from './status-words.js';
import { StreamSource } from './stream-source.js';
import { commandKinds, readCommand, type WireCommand } from './wire-command.js';

/** Whether messages go to and fro. */
export interface AgentAreaBridgeHealth {
  /** `degraded` while Redis is away or refuses; what is wanted or has to be told waits. */
  readonly status: 'ok' | 'degraded' | 'stopped';
  /** What does not go on, as `infra.health()` shows it, too. */
  readonly degraded: readonly AgentAreaPart[];
}

/** A part of a bridge that does not go on. */
export interface AgentAreaPart {
  /** `redis`, `channels`, `stream` or `telling`. */
  readonly part: string;
  readonly message: string;
}

/** A running bridge. */
export interface AgentAreaBridge extends AsyncDisposable {
  /**
   * Begins to listen and to tell. Resolves when it does, or when Redis does not answer; it then goes on trying.
   *
   * Start the infra first. A second call gets the same promise.
   *
   * @throws `NOT_STARTED` when the infra is not, `ALREADY_EXISTS` when this process has a bridge of the group already
   */
  start(): Promise<void>;
  /** Ends it; what is being done is waited for, what waits for its next try is left. Idempotent. */
  stop(): Promise<void>;
  health(): AgentAreaBridgeHealth;
}

/**
 * Makes a fleet act on the messages of AgentArea's API, in place of its managers, and tell it how its instances are.
 *
 * Any number of workers of a fleet may have one: an instance is made once and told of once.
 *
 * @example
 * ```ts
 * const bridge = agentAreaBridge(infra, { url: 'redis://localhost:6379', stream: 'mcp-events' });
 * await bridge.start();
 * ```
 * @throws `INVALID_OPTIONS`
 */
export function agentAreaBridge(infra: AgentAreaInfra, options: AgentAreaBridgeOptions): AgentAreaBridge {
  return new Bridge(infra, resolveBridgeOptions(options));
}

const commandTimeoutMs = 5_000;
const reportEveryMs = 2_000;

class Bridge implements AgentAreaBridge {
  readonly #infra: AgentAreaInfra;
  readonly #settings: ResolvedBridge;
  readonly #logger: Logger;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #commands: Connection;
  readonly #notes: PlatformNotes;
  readonly #voice: PlatformVoice;
  readonly #executor: CommandExecutor;
  readonly #channels: ChannelSource;
  readonly #stream: StreamSource | null;
  readonly #turns = new KeyedTurns();
  readonly #ending = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #subscription: { close(): Promise<void>; readonly done: Promise<void> } | undefined;
  readonly #started = new Once(() => this.#start());
  readonly #stopped = new Once(() => this.#stop());
  readonly #reporting: Recurring;
  /** Why the platform is told nothing more. */
  #silence: string | undefined;

  constructor(infra: AgentAreaInfra, settings: ResolvedBridge) {
    const { template, prefix, channelPrefix, stream, group, claimIdleMs, logger } = settings;
    const connection = (): Connection => new Connection(template, commandTimeoutMs);
    // Every message in flight listens to it.
    setMaxListeners(0, this.#ending.signal);
    this.#infra = infra;
    this.#settings = settings;
    this.#logger = logger;
    this.#labels = { 'agentarea.bridge': group };
    this.#commands = connection();
    this.#notes = new PlatformNotes(this.#commands, prefix);
    this.#voice = new PlatformVoice({ infra, notes: this.#notes, channelPrefix });
    this.#executor = new CommandExecutor({
      infra,
      notes: this.#notes,
      voice: this.#voice,
      logger,
      labels: this.#labels,
      everyInstance: settings.everyInstance,
      legacySecretScope: settings.legacySecretScope,
    });
    const channels = Object.keys(commandKinds).map((type) => `${channelPrefix}${type}`);
    this.#reporting = new Recurring({
      clock: systemClock,
      retryMs: reportEveryMs,
      work: async () => {
        for (const [part, message] of this.#parts()) this.#report(part, message);
        return reportEveryMs;
      },
      failed: (error) =>
        logger.warn('the health of the bridge could not be told', { error: messageOf(error) }),
    });
    this.#channels = new ChannelSource(connection(), { channels, logger });
    const consumer = `${hostname()}-${String(process.pid)}-${randomUUID().slice(0, 8)}`;
    const reading = { group: `mcpinfra-${group}`, consumer, claimIdleMs, logger };
    this.#stream =
      stream === null
        ? null
        : new StreamSource({ reader: connection(), commands: this.#commands }, { ...reading, key: stream });
  }

  start(): Promise<void> {
    if (this.#stopped.begun) {
      const message = 'The AgentArea bridge was stopped and does not start again: make a new one.';
      return Promise.reject(mcpError('ALREADY_STOPPED', message));
    }
    // Refused before anything was opened, such as by an infra that is not started: another call may succeed.
    return this.#started.get();
  }

  stop(): Promise<void> {
    return this.#stopped.get();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  health(): AgentAreaBridgeHealth {
    if (!this.#started.begun || this.#stopped.begun) return { status: 'stopped', degraded: [] };
    const degraded = this.#parts().flatMap(([part, message]) =>
      message === undefined ? [] : [{ part, message }],
    );
    return { status: degraded.length === 0 ? 'ok' : 'degraded', degraded };
  }

  /** Each part, with why it does not go on. */
  #parts(): readonly (readonly [part: string, message: string | undefined])[] {
    const away = 'Redis does not answer; the connection is tried again until it does.';
    const lost = 'What is published to the channels meanwhile is lost; the stream keeps it.';
    const stream = this.#stream;
    return [
      ['redis', this.#commands.isReady ? undefined : away],
      ['channels', this.#channels.isListening ? undefined : lost],
      ['stream', stream === null || stream.isListening ? undefined : (stream.trouble ?? away)],
      ['telling', this.#silence],
    ];
  }

  async #start(): Promise<void> {
    const { signal } = this.#ending;
    const { group } = this.#settings;
    const onPayload = (payload: Uint8Array, source: string): Promise<void> => this.#receive(payload, source);
    // What is told goes before what is asked for, so that of no instance the beginning is missed.
    await this.#listen();
    await this.#commands.open(signal);
    await Promise.all([this.#channels.open(onPayload, signal), this.#stream?.open(onPayload, signal)]);
    this.#commands.keepAsking();
    void this.#reporting.now();
    if (this.health().status === 'degraded')
      this.#logger.warn('Redis is away: the AgentArea bridge goes on trying', { group });
  }

  /** Tells the platform of every event from where the workers of the bridge left it. */
  async #listen(): Promise<void> {
    const subscription = await this.#infra.events.subscribe(
      {
        group: this.#settings.group,
        types: [...toldTypes, 'MCPServerInstanceDeleted'],
        labels: this.#own,
      },
      (event) =>
        event.type === 'MCPServerInstanceDeleted' ? this.#noteDeleted(event) : this.#voice.tell(event),
    );
    this.#subscription = subscription;
    subscription.done.catch((error: unknown) => {
      if (isExpired(error)) void this.#keep(this.#goOnAfter(error));
      else this.#fallSilent(error);
    });
  }

  /** A wish that comes again after the host itself has deleted the instance must not bring it back. */
  async #noteDeleted({ data }: Event<'MCPServerInstanceDeleted'>): Promise<void> {
    const eventId = data.labels[eventLabel];
    if (eventId !== undefined) await this.#notes.fulfil(eventId);
  }

  /** No worker had the bridge for longer than events are kept: the platform is told how things are now instead. */
  async #goOnAfter(expired: MCPInfraError): Promise<void> {
    const { group } = this.#settings;
    const { signal } = this.#ending;
    const { after, oldest } = expired.details;
    const fields = { group, after, oldest };
    this.#logger.warn(
      'the bridge was away for longer than events are kept, and tells what is instead',
      fields,
    );
    const what = 'the bridge could not go on after events that are no longer kept';
    await retrying(
      async () => {
        await this.#infra.events.groups.seek(group, 'beginning', { signal });
        await this.#tellPresent(signal);
        await this.#listen();
      },
      { signal, logger: this.#logger, what, fields, failed: (error) => (this.#silence = messageOf(error)) },
    );
    this.#silence = undefined;
  }

  async #tellPresent(signal: AbortSignal): Promise<void> {
    let cursor: string | undefined;
    do {
      const filter = { labels: this.#own, limit: 100, cursor };
      const page = await this.#infra.instances.list(filter, { signal });
      for (const instance of page.items) await this.#voice.tellPresent(instance);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  #fallSilent(error: unknown): void {
    const { group } = this.#settings;
    this.#silence = `The platform is told nothing more: ${messageOf(error)}`;
    this.#logger.error('the platform is told nothing more', { group, error: messageOf(error) });
  }

  /** The labels of the instances that the platform hears of; of all where it is `undefined`. */
  get #own(): Readonly<Record<string, string>> | undefined {
    return this.#settings.everyInstance ? undefined : this.#labels;
  }

  async #stop(): Promise<void> {
    this.#ending.abort();
    await this.#reporting.stop();
    for (const [part] of this.#parts()) this.#report(part, undefined);
    if (this.#started.begun) await this.#started.get().catch(() => undefined);
    this.#channels.close();
    await Promise.all(this.#inFlight);
    await this.#stream?.close();
    await this.#subscription?.close();
    this.#commands.close();
  }

  #report(part: string, message: string | undefined): void {
    this.#infra.report?.(`${this.#settings.group}/${part}`, message === undefined, message);
  }

  /** Never rejects: a message that cannot be acted on ends here. */
  #receive(payload: Uint8Array, source: string): Promise<void> {
    const received = this.#act(payload, source).catch((error: unknown) => {
      this.#logger.warn('a message of the platform was left undone', { source, error: messageOf(error) });
    });
    return this.#keep(received);
  }

  /** Has the end wait for work; what it rejects with has been told. */
  #keep(work: Promise<void>): Promise<void> {
    const kept = work.catch(() => undefined).finally(() => this.#inFlight.delete(kept));
    this.#inFlight.add(kept);
    return kept;
  }

  async #act(payload: Uint8Array, source: string): Promise<void> {
    const decoded = decodeMessage(payload);
    if (!decoded.ok) return this.#bury(payload, { source, ...decoded.refusal });
    const { type, eventId } = decoded.message;
    const read = readCommand(decoded.message);
    if (read === null) {
      this.#logger.debug('a message of the platform asks for nothing', { type, eventId });
      return;
    }
    if ('fault' in read) return this.#bury(payload, { source, reason: 'bad-field', message: read.fault });
    const { command } = read;
    await this.#retrying(command, () => this.#executor.announce(command));
    await this.#turns.take(command.instanceId, this.#ending.signal, () =>
      this.#retrying(command, () => this.#executor.execute(command, this.#ending.signal)),
    );
  }

  /** Keeps what is said of a message that could not be used. */
  async #bury(
    payload: Uint8Array,
    why: { readonly source: string; readonly reason: string; readonly message: string },
  ): Promise<void> {
    const { source, reason, message: detail } = why;
    this.#logger.warn('a message of the platform cannot be used', { source, reason, detail });
    await this.#retrying({ source }, () => this.#notes.addDeadLetter({ reason, detail, source, payload }));
  }

  #retrying(about: WireCommand | { readonly source: string }, work: () => Promise<void>): Promise<void> {
    const fields =
      'source' in about
        ? about
        : { command: about.kind, instanceId: about.instanceId, eventId: about.eventId };
    const what = 'a message of the platform could not be acted on';
    return retrying(work, { signal: this.#ending.signal, logger: this.#logger, what, fields });
  }
}

function isExpired(error: unknown): error is MCPInfraError {
  return MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED';
}
