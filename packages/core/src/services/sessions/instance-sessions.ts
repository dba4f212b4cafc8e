/*
 * The ways to a server for those who use it: clients, calls, tools, logs, and the waits until there is one.
 * The instance manager calls it for hosts.
 * It never changes what runs, but for keeping an on-demand instance awake.
 */
import type { Client } from '@modelcontextprotocol/client';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { InstanceRecord, ToolDescription } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import { resolveLifecycle } from '../../domain/json-spec/lifecycle.js';
import type { MCPLink, ToolCallResult } from '../../ports/mcp-link.js';
import type { LogLine, LogQuery } from '../../ports/provider.js';
import { visibleInstance, type Scope } from '../context/access.js';
import { draftEvent, instanceOrigin, instanceWish, timestamp } from '../context/event-drafts.js';
import type { InstanceWaiter } from './instance-waiter.js';
import { changeInstance } from '../context/instance-writer.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { isStdio, type LinkRegistry } from '../ownership/link-registry.js';
import type { OwnedCopies } from '../ownership/owned-copies.js';
import type { RemoteOwners } from '../ownership/remote-owners.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';
import { withDeadline } from '../../async/deadline.js';
import { sleep } from '../../async/sleep.js';

/** Options of a tool call. */
export interface CallToolOptions extends CommandOptions {
  /** How long to wait for an on-demand instance to wake, and for one that is just starting. @defaultValue 60000 */
  readonly wakeTimeoutMs?: number | undefined;
}

/** A client whose session ends with the block that holds it. */
export type ConnectedClient = Client & AsyncDisposable;

const defaultWakeMs = 60_000;

/** Reaches instances: clients, tool calls, tools, logs. */
export class InstanceSessions {
  readonly #context: ServiceContext;
  readonly #links: LinkRegistry;
  readonly #secrets: SecretSource;
  readonly #waiter: InstanceWaiter;
  readonly #scope: Scope;
  readonly #owned: OwnedCopies;
  readonly #remote: RemoteOwners;

  constructor(
    context: ServiceContext,
    links: LinkRegistry,
    options: {
      readonly secrets: SecretSource;
      readonly waiter: InstanceWaiter;
      readonly scope: Scope;
      readonly owned: OwnedCopies;
      readonly remote: RemoteOwners;
    },
  ) {
    this.#context = context;
    this.#links = links;
    this.#secrets = options.secrets;
    this.#waiter = options.waiter;
    this.#scope = options.scope;
    this.#owned = options.owned;
    this.#remote = options.remote;
  }

  async connect(id: string, options: CallToolOptions): Promise<ConnectedClient> {
    const { record, link } = await this.#awake(id, options);
    const client = await link.connect({ signal: options.signal }).catch(async (error: unknown) => {
      throw await this.#scrubbed(record, error);
    });
    const awake = this.#keepAwake(record);
    const closed = client.onclose;
    client.onclose = () => {
      awake();
      closed?.();
    };
    return Object.assign(client, {
      [Symbol.asyncDispose]: async () => {
        await client.close();
      },
    });
  }

  async callTool(
    id: string,
    call: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> },
    options: CallToolOptions,
  ): Promise<ToolCallResult> {
    const { record, link } = await this.#awake(id, options);
    const release = this.#keepAwake(record);
    try {
      return await link.callTool(call, { signal: options.signal });
    } catch (error) {
      // A server may answer an error with what it knows.
      throw await this.#scrubbed(record, error);
    } finally {
      release();
    }
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
    await this.#secrets.know(record, record.runtime.active?.spec ?? record.jsonSpec);
    return this.#secrets.scrubError(record.id, error);
  }

  /** The way to the routed copy, woken where it sleeps. @throws `INSTANCE_STOPPED`, `INSTANCE_NOT_READY` */
  async #awake(
    id: string,
    options: CallToolOptions,
  ): Promise<{ readonly record: InstanceRecord; readonly link: MCPLink }> {
    let record = await visibleInstance(this.#context, this.#scope, { id, options });
    if (record.status === 'idle') {
      await this.#want(record, { actor: options.actor, tell: !this.#owned.owns(record) });
      this.#context.wake(id, 'wish-changed');
    }
    if (record.status === 'idle' || record.status === 'starting')
      record = await this.#untilServing(record, options);
    if (record.desiredState === 'stopped') {
      throw mcpError('INSTANCE_STOPPED', `The instance "${record.name}" is stopped.`);
    }
    const { active } = record.runtime;
    if (!isServing(record) || !active) {
      const { reason, message, nextRetryAt } = record.statusDetail;
      const why = reason === '' ? '' : ` (${reason}: ${message})`;
      const next = nextRetryAt === null ? '' : ` The next try is at ${nextRetryAt}.`;
      throw mcpError(
        'INSTANCE_NOT_READY',
        `The instance "${record.name}" is ${record.status}${why}.${next}`,
        {
          details: { status: record.status, statusDetail: record.statusDetail },
        },
      );
    }
    const elsewhere = isStdio(active.spec) && !this.#owned.owns(record);
    const link = elsewhere
      ? this.#links.remote(record, active, (dialing) => this.#remote.dial(record, active, dialing))
      : this.#links.of(record, active);
    return { record, link };
  }

  async #untilServing(record: InstanceRecord, options: CallToolOptions): Promise<InstanceRecord> {
    const met = (r: InstanceRecord) => isServing(r) || r.status === 'failed' || r.desiredState === 'stopped';
    return withDeadline((signal) => this.#waiter.until(record.id, met, { ...options, signal }), {
      clock: this.#context.clock,
      timeoutMs: options.wakeTimeoutMs ?? defaultWakeMs,
      signals: [options.signal],
      expired: () => mcpError('REQUEST_TIMEOUT', `The instance "${record.name}" did not wake in time.`),
    });
  }

  /** Moves `wantedUntil` forward while a call or session is open. Returns what ends that. */
  #keepAwake(record: InstanceRecord): () => void {
    const spec = record.runtime.active?.spec ?? record.jsonSpec;
    if (resolveLifecycle(spec).start !== 'on-demand') return () => undefined;
    const { idleTimeoutMs } = lifecycleMs(spec);
    const ended = new AbortController();
    const pulse = async (): Promise<void> => {
      while (!ended.signal.aborted) {
        await this.#want(record).catch((error: unknown) => {
          this.#context.logger.debug('an instance in use could not be kept awake', {
            instance: record.name,
            error,
          });
        });
        await sleep(this.#context.clock, idleTimeoutMs / 3, ended.signal);
      }
    };
    void pulse();
    return () => {
      ended.abort();
    };
  }

  /** @param wake - for a call that wakes: who makes it, and whether the owner, another process, has to be told */
  async #want(
    record: InstanceRecord,
    wake: { readonly actor?: string | undefined; readonly tell: boolean } = { tell: false },
  ): Promise<void> {
    const { idleTimeoutMs } = lifecycleMs(record.runtime.active?.spec ?? record.jsonSpec);
    await changeInstance(this.#context, record.id, {
      origin: { actor: wake.actor },
      decide: ({ runtime }) => {
        const leftMs =
          runtime.wantedUntil === null ? 0 : Date.parse(runtime.wantedUntil) - this.#context.clock.now();
        // At most one write in each third of the idle time.
        if (leftMs > (idleTimeoutMs * 2) / 3) return null;
        return {
          runtime: { wantedUntil: timestamp(this.#context, idleTimeoutMs) },
          events: (row) =>
            wake.tell
              ? [
                  draftEvent(this.#context, instanceOrigin(row, wake.actor), {
                    type: 'MCPServerInstanceStarted',
                    data: instanceWish(row),
                  }),
                ]
              : [],
        };
      },
    });
  }
}
