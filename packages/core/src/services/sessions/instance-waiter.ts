import { hasCode } from '../../domain/errors/has-code.js';
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { isAtRest, type InstanceRecord } from '../../domain/instance/instance-record.js';
import type { InstanceStatus } from '../../domain/instance/mcp-server-instance.js';
import { visibleInstance, type Scope } from '../context/access.js';
import type { EventHub } from '../events/event-hub.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';
import type { Sightings } from '../ownership/sightings.js';
import { orAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';
import { failureOf, hasComeTrue, overtaken, stateOf } from './wish-outcome.js';

// Events wake a wait at once; where they are late or lost, the row is read again after this time.
const lookAgainMs = 1_000;

/** Follows instances as they change. */
export class InstanceWaiter {
  readonly #context: ServiceContext;
  readonly #hub: EventHub;
  readonly #scope: Scope;
  readonly #sightings: Sightings;

  constructor(
    context: ServiceContext,
    hub: EventHub,
    options: { readonly scope: Scope; readonly sightings: Sightings },
  ) {
    this.#context = context;
    this.#hub = hub;
    this.#scope = options.scope;
    this.#sightings = options.sightings;
  }

  /**
   * Yields an instance as it is, and again whenever it changed; ends with `null` when it is gone.
   *
   * @throws `ABORTED` with the last state in the details, `NOT_FOUND` when it never was, `ALREADY_STOPPED`
   */
  async *follow(id: string, options: CommandOptions): AsyncGenerator<InstanceRecord | null> {
    let last = '';
    for await (const record of this.#looks(id, options)) {
      const now = record === null ? 'gone' : `${record.status} ${String(record.resourceVersion)}`;
      if (now !== last) yield record;
      last = now;
    }
  }

  /** Yields an instance each time it is looked at; ends as {@link follow}. */
  async *#looks(id: string, options: CommandOptions): AsyncGenerator<InstanceRecord | null> {
    await visibleInstance(this.#context, this.#scope, { id, options });
    const { signal = new AbortController().signal } = options;
    const { stopping } = this.#context;
    let news = new AbortController();
    const off = this.#hub.on('*', this.#scope, (event) => {
      if (event.subject === id) news.abort();
    });
    try {
      let last: InstanceRecord | null = null;
      for (;;) {
        news = new AbortController();
        if (signal.aborted) throw aborted(last, signal);
        const row = await orAborted(this.#context.store.instances.get(id), stopping);
        const record = row && (await this.#sightings.asSeen(row));
        if (record === null) {
          yield null;
          return;
        }
        last = record;
        yield record;
        await sleep(this.#context.clock, lookAgainMs, signal, news.signal, stopping);
        if (stopping.aborted) throw stopping.reason;
      }
    } finally {
      off();
    }
  }

  async until(
    id: string,
    condition: InstanceStatus | ((record: InstanceRecord) => boolean),
    options: CommandOptions,
  ): Promise<InstanceRecord> {
    const met = typeof condition === 'string' ? (r: InstanceRecord) => r.status === condition : condition;
    for await (const record of this.follow(id, options)) {
      if (record === null) break;
      if (met(record)) return record;
    }
    throw deleted(id);
  }

  async untilGone(id: string, options: CommandOptions): Promise<void> {
    try {
      for await (const record of this.follow(id, options)) if (record === null) return;
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return;
      throw error;
    }
  }

  /**
   * Waits until a wish has come true.
   *
   * @throws as {@link hasComeTrue}, at once
   */
  async untilTrue(
    wish: Pick<InstanceRecord, 'id' | 'desiredState'>,
    options: CommandOptions,
  ): Promise<InstanceRecord> {
    return this.until(wish.id, (record) => hasComeTrue(wish, record), options);
  }

  /** Waits through retries until it is ready; rejects at once when it cannot become so by itself. */
  async untilReady(id: string, options: CommandOptions): Promise<InstanceRecord> {
    for await (const record of this.#looks(id, options)) {
      if (record === null) break;
      if (isReady(record) && (await this.#sightings.isReachable(record))) return record;
    }
    throw deleted(id);
  }
}

function deleted(id: string): MCPInfraError {
  return mcpError('INSTANCE_DELETED', `The instance ${id} was deleted before it came to the awaited state.`);
}

function isReady(record: InstanceRecord): boolean {
  if (record.runtime.deleteRequestedAt !== null)
    throw overtaken('INSTANCE_DELETED', record, 'it is being deleted');
  if (record.desiredState === 'stopped') throw overtaken('INSTANCE_STOPPED', record, 'it is stopped');
  if (record.status === 'failed' && record.statusDetail.nextRetryAt === null) throw failureOf(record);
  // An on-demand instance that sleeps is ready: its first call wakes it.
  return isAtRest(record) && (record.status === 'running' || record.status === 'idle');
}

function aborted(last: InstanceRecord | null, signal: AbortSignal): MCPInfraError {
  const detail = last?.statusDetail;
  const state = last
    ? `The instance "${last.name}" is ${last.status}${whyOf(last)}`
    : 'Nothing was read yet.';
  const next = detail?.nextRetryAt ? ` The next try is at ${detail.nextRetryAt}.` : '';
  return mcpError('ABORTED', `The wait was ended by its signal. ${state}${next}`, {
    cause: signal.reason,
    details: last ? stateOf(last) : {},
  });
}

/** Why an instance is not as wished, as far as it is known: code, sentence, and what it last wrote. */
function whyOf({ statusDetail }: InstanceRecord): string {
  const { reason, message, lastExit, update } = statusDetail;
  const said = lastExit?.lastLogLines.at(-1);
  const wrote =
    reason === '' || said === undefined || message.includes(said) ? '' : ` It last wrote: "${said}".`;
  const updating = update ? ` Its update fails: ${update.reason}: ${update.message}` : '';
  return `${reason === '' ? '.' : `: ${reason}: ${message}`}${wrote}${updating}`;
}
