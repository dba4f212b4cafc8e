/*
 * The ways to a server for those who use it: clients, calls, tools, logs, and the waits until there is one.
 * The instance manager calls it for hosts.
 * It never changes what runs, but for keeping an on-demand instance awake.
 */
import type { Client } from '@modelcontextprotocol/client';
import type { ErrorCode } from '../../domain/errors/error-codes.js';
import { hasCode } from '../../domain/errors/has-code.js';
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { InstanceRecord, ToolDescription } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { CallProgress, LinkTarget, MCPLink, ToolCallResult } from '../../ports/mcp-link.js';
import type { LogLine, LogQuery } from '../../ports/provider.js';
import { visibleInstance, type Scope } from '../context/access.js';
import type { InstanceWaiter } from './instance-waiter.js';
import { isStdio, type LinkRegistry } from '../ownership/link-registry.js';
import type { OwnedCopies } from '../ownership/owned-copies.js';
import type { RemoteOwners } from '../ownership/remote-owners.js';
import type { Sightings } from '../ownership/sightings.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';
import { throwIfAborted } from '../../async/abort.js';
import { withDeadline } from '../../async/deadline.js';
import { sleep } from '../../async/sleep.js';
import { checkedTimeMs, commandOptions, refuseUnknownOptions } from '../context/known-options.js';
import { Awakening } from './awakening.js';

/** How a client is connected. */
export interface ConnectClientOptions extends CommandOptions {
  /**
   * How long to wait for an instance that sleeps, is starting, or is about to be tried again after a failure, in
   * milliseconds; one that cannot serve by then is refused at once. @defaultValue 60000
   */
  readonly wakeTimeoutMs?: number | undefined;
  /** How long it may take altogether, waiting for the instance included, in milliseconds. @defaultValue no such limit */
  readonly timeoutMs?: number | undefined;
}

/** How a tool is called. */
export interface CallToolOptions extends ConnectClientOptions {
  /**
   * How long the call may take altogether, waiting for the instance included, in milliseconds.
   *
   * @defaultValue the `callTimeoutMs` of the host, from when the call is sent
   */
  readonly timeoutMs?: number | undefined;
  /** Told how far the server says it is. */
  readonly onProgress?: ((progress: CallProgress) => void) | undefined;
}

/** A client whose session ends with the block that holds it. */
export type ConnectedClient = Client & AsyncDisposable;

/** An instance that serves, and the way to its routed copy. */
interface Reached {
  readonly record: InstanceRecord;
  readonly link: MCPLink;
}

/** When somebody stops waiting, on the clock's monotonic scale. */
interface Deadlines {
  readonly servesByMs: number;
  readonly endsByMs: number;
}

const defaultWakeMs = 60_000;

/** After a copy is gone, its row says so within this time. */
const rowFollowsMs = 2_000;

/** How often it is looked for an owner where there is none. */
const lookForOwnerMs = 250;

/** What says that a copy is not there any more, or not there yet. */
const goneCodes: readonly ErrorCode[] = [
  'CONNECTION_CLOSED',
  'CONNECTION_REFUSED',
  'INSTANCE_NOT_READY',
  'PROVIDER_FAILED',
];

const connectOptions = [...commandOptions, 'wakeTimeoutMs', 'timeoutMs'] as const;
const callOptions = [...connectOptions, 'onProgress'] as const;

/** Reaches instances: clients, tool calls, tools, logs. */
export class InstanceSessions {
  readonly #context: ServiceContext;
  readonly #links: LinkRegistry;
  readonly #secrets: SecretSource;
  readonly #waiter: InstanceWaiter;
  readonly #scope: Scope;
  readonly #owned: OwnedCopies;
  readonly #remote: RemoteOwners;
  readonly #sightings: Sightings;
  readonly #awakening: Awakening;

  constructor(
    context: ServiceContext,
    links: LinkRegistry,
    options: {
      readonly secrets: SecretSource;
      readonly waiter: InstanceWaiter;
      readonly scope: Scope;
      readonly owned: OwnedCopies;
      readonly remote: RemoteOwners;
      readonly sightings: Sightings;
    },
  ) {
    this.#context = context;
    this.#links = links;
    this.#secrets = options.secrets;
    this.#waiter = options.waiter;
    this.#scope = options.scope;
    this.#owned = options.owned;
    this.#remote = options.remote;
    this.#sightings = options.sightings;
    this.#awakening = new Awakening(context, options.waiter, options.owned);
  }

  async connect(id: string, options: ConnectClientOptions): Promise<ConnectedClient> {
    refuseUnknownOptions('connect()', options, connectOptions);
    const deadlines = this.#deadlines(options);
    const open = async ({ record, link }: Reached): Promise<ConnectedClient> => {
      const onEnded = this.#awakening.keepAwake(record);
      const client = await withDeadline((signal) => link.connect({ signal, onEnded }), {
        clock: this.#context.clock,
        timeoutMs: deadlines.endsByMs - this.#context.clock.monotonicMs(),
        signals: [options.signal],
        expired: () =>
          mcpError('REQUEST_TIMEOUT', `The instance "${record.name}" opened no session in time.`),
        onLate: (late) => late.close(),
      });
      return Object.assign(client, {
        [Symbol.asyncDispose]: async () => {
          await client.close();
        },
      });
    };
    // Nothing was asked of the server yet: any copy will do.
    return this.#onRouted(id, { options, deadlines, isUnsent: () => true }, open);
  }

  async callTool(
    id: string,
    call: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> },
    options: CallToolOptions,
  ): Promise<ToolCallResult> {
    refuseUnknownOptions('callTool()', options, callOptions);
    const { signal, onProgress } = options;
    const deadlines = this.#deadlines(options);
    const make = async ({ record, link }: Reached): Promise<ToolCallResult> => {
      const release = this.#awakening.keepAwake(record);
      const leftMs = deadlines.endsByMs - this.#context.clock.monotonicMs();
      const timeoutMs = options.timeoutMs === undefined ? undefined : leftMs;
      try {
        return await link.callTool(call, { signal, timeoutMs, onProgress });
      } finally {
        release();
      }
    };
    const isUnsent = (error: MCPInfraError) => error.details['unsent'] === true;
    return this.#onRouted(id, { options, deadlines, isUnsent }, make);
  }

  #deadlines(options: ConnectClientOptions): Deadlines {
    const nowMs = this.#context.clock.monotonicMs();
    const endsByMs = nowMs + checkedTimeMs('timeoutMs', options.timeoutMs, Infinity);
    const wakeMs = checkedTimeMs('wakeTimeoutMs', options.wakeTimeoutMs, defaultWakeMs);
    return { endsByMs, servesByMs: Math.min(endsByMs, nowMs + wakeMs) };
  }

  /**
   * Does something with the routed copy. Where that turns out to be gone before it got anything, it is done with the next
   * one: the same started again, or what has replaced it.
   */
  async #onRouted<T>(
    id: string,
    call: {
      readonly options: CommandOptions;
      readonly deadlines: Deadlines;
      readonly isUnsent: (error: MCPInfraError) => boolean;
    },
    work: (reached: Reached) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const reached = await this.#reach(id, call.options, call.deadlines);
      try {
        return await work(reached);
      } catch (error) {
        const again = hasCode(error, ...goneCodes) && call.isUnsent(error);
        if (again && (await this.#hasMovedOn(reached.record, call.options, call.deadlines))) continue;
        // A server may answer an error with what it knows.
        throw await this.#scrubbed(reached.record, error);
      }
    }
  }

  /** Whether the row of a copy that is gone tells of something else by now, or soon. */
  async #hasMovedOn(
    seen: InstanceRecord,
    { signal }: CommandOptions,
    { servesByMs }: Deadlines,
  ): Promise<boolean> {
    const { clock } = this.#context;
    // What lives nowhere cannot be gone: it does not answer.
    if (seen.runtime.placement === '*') return false;
    const timeoutMs = Math.min(rowFollowsMs, servesByMs - clock.monotonicMs());
    const isOther = (now: InstanceRecord) => now.resourceVersion !== seen.resourceVersion;
    const waiting = withDeadline((over) => this.#waiter.until(seen.id, isOther, { signal: over }), {
      clock,
      timeoutMs,
      signals: [signal],
      expired: () => mcpError('REQUEST_TIMEOUT', 'The row did not change.'),
    });
    return waiting.then(
      () => true,
      (error: unknown) => hasCode(error, 'INSTANCE_DELETED'),
    );
  }

  /** The tools as the last handshake told them, also while the instance is stopped. */
  async tools(id: string, options: CommandOptions): Promise<readonly ToolDescription[]> {
    const { runtime, name } = await visibleInstance(this.#context, this.#scope, { id, options });
    if (runtime.handshake) return runtime.handshake.tools;
    throw mcpError(
      'INSTANCE_NOT_READY',
      `The instance "${name}" has not answered yet, so its tools are not known.`,
    );
  }

  async *logs(id: string, query: LogQuery, options: CommandOptions): AsyncGenerator<LogLine> {
    refuseUnknownOptions('instances.logs()', query, ['tail', 'follow']);
    refuseUnknownOptions('instances.logs()', options, commandOptions);
    const record = await visibleInstance(this.#context, this.#scope, { id, options });
    this.#owned.assertKeepsLogs(record.jsonSpec.type);
    const { active } = record.runtime;
    const { signal } = options;
    if (active) {
      yield* this.#owned.owns(record)
        ? this.#owned.linesOf(record, active, { query, signal })
        : await this.#remote.logs(record, query, { signal });
      return;
    }
    // What failed to start is gone; its last lines are in the row.
    const { lastExit } = record.statusDetail;
    for (const text of (lastExit?.lastLogLines ?? []).slice(-(query.tail ?? Infinity))) {
      yield { at: lastExit?.at ?? record.updatedAt, stream: 'stderr', text };
    }
  }

  async #scrubbed(record: InstanceRecord, error: unknown): Promise<unknown> {
    // Another process may have started it.
    const { active } = record.runtime;
    const isNew = active !== null && (await this.#secrets.know(record, active));
    const scrubbed = this.#secrets.scrubError(record.id, error);
    // The call may have outlived the instance, whose end is told only once.
    if (isNew) void this.#forgetWhereGone(record.id);
    return scrubbed;
  }

  /** Where it cannot be told whether there is such an instance, it is kept for whoever asks next. */
  async #forgetWhereGone(id: string): Promise<void> {
    const row = await this.#context.store.instances.get(id).catch(() => undefined);
    if (row === null) this.#secrets.forget(id);
  }

  /** The way to the routed copy, woken where it sleeps. @throws as {@link Awakening.untilServing}, `NOT_OWNER` */
  async #reach(id: string, options: CommandOptions, deadlines: Deadlines): Promise<Reached> {
    const { clock } = this.#context;
    const { signal, actor } = options;
    const untilMs = deadlines.servesByMs;
    for (;;) {
      const seen = await this.#lookedUp(id, untilMs, { signal }, async (inTime) => {
        const found = await visibleInstance(this.#context, this.#scope, { id, options: inTime });
        await this.#refuseOwnerless(found);
        return this.#sightings.asSeen(found);
      });
      const record = await this.#awakening.untilServing(seen, { signal, actor, untilMs });
      const { active } = record.runtime;
      if (!active)
        throw mcpError('INTERNAL', `The instance "${record.name}" is ${record.status} without a copy.`);
      if (!isStdio(active.spec) || this.#owned.owns(record))
        return { record, link: this.#links.of(record, active) };
      const isOver = clock.monotonicMs() + lookForOwnerMs > untilMs;
      const isOthers =
        isOver ||
        !this.#owned.mayOwn(record) ||
        (await this.#lookedUp(id, untilMs, { signal }, () => this.#remote.hasOwner(record)));
      if (isOthers) {
        const dial: LinkTarget['dial'] = (dialing) => this.#remote.dial(record, active, dialing);
        return { record, link: this.#links.remote(record, active, dial) };
      }
      const { stopping } = this.#context;
      await sleep(clock, lookForOwnerMs, signal, stopping);
      throwIfAborted(signal);
      throwIfAborted(stopping);
    }
  }

  /** Looks something up in the store, as long as the caller waits. */
  #lookedUp<T>(
    id: string,
    untilMs: number,
    { signal }: CommandOptions,
    look: (options: { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#context;
    return withDeadline((inTime) => look({ signal: inTime }), {
      clock,
      timeoutMs: Math.max(0, untilMs - clock.monotonicMs()),
      signals: [signal],
      expired: () =>
        mcpError(
          'REQUEST_TIMEOUT',
          `The store did not say in time where the instance ${id} is: it does not answer.`,
        ),
    });
  }

  /** @throws `STORE_FAILED` where only its owner reaches or starts it, and nobody can become that */
  async #refuseOwnerless(record: InstanceRecord): Promise<void> {
    const { runtime, desiredState } = record;
    const away = this.#owned.away(record);
    if (!away || runtime.deleteRequestedAt !== null || desiredState === 'stopped') return;
    if (isServing(record) && !isStdio(runtime.active?.spec ?? record.jsonSpec)) return;
    if (!(await this.#remote.hasOwner(record))) throw away;
  }
}
