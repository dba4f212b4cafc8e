import { withDeadline } from '../../async/deadline.js';
import { sleep } from '../../async/sleep.js';
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { EventDraft } from '../../domain/events/event.js';
import { isAsleep, type InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import { draftEvent, instanceOrigin, instanceWish, timestamp } from '../context/event-drafts.js';
import { changeInstance } from '../context/instance-writer.js';
import { lifecycleMsOf, lifecycleOf } from '../context/lifecycle-ms.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';
import type { OwnedCopies } from '../ownership/owned-copies.js';
import type { InstanceWaiter } from './instance-waiter.js';
import { overtaken, stateOf } from './wish-outcome.js';

/** How long an instance is waited for, and for whom. */
export interface AwakeOptions extends Pick<CommandOptions, 'signal' | 'actor'> {
  /** On the clock's monotonic scale. */
  readonly untilMs: number;
}

/** Waits until instances serve, waking those that sleep, and keeps those in use awake. */
export class Awakening {
  readonly #context: ServiceContext;
  readonly #waiter: InstanceWaiter;
  readonly #owned: OwnedCopies;

  constructor(context: ServiceContext, waiter: InstanceWaiter, owned: OwnedCopies) {
    this.#context = context;
    this.#waiter = waiter;
    this.#owned = owned;
  }

  /**
   * The instance once it serves. One that failed is waited for through one try, where that is due in time.
   *
   * @throws `INSTANCE_STOPPED`, `INSTANCE_DELETED`, `INSTANCE_NOT_READY` with the reason and the next try, `REQUEST_TIMEOUT`
   */
  async untilServing(record: InstanceRecord, options: AwakeOptions): Promise<InstanceRecord> {
    const { clock } = this.#context;
    const leftMs = Math.max(0, options.untilMs - clock.monotonicMs());
    const latest = clock.now() + leftMs;
    const firstTry = record.status === 'failed' ? record.statusDetail.nextRetryAt : null;
    const met = (current: InstanceRecord): boolean => {
      const { nextRetryAt } = current.statusDetail;
      refuseUnwanted(current);
      const waits = nextRetryAt !== null && nextRetryAt === firstTry && Date.parse(nextRetryAt) <= latest;
      if (current.status === 'failed' && !waits) throw notReady(current);
      last = current;
      return isServing(current);
    };
    let last = record;
    if (met(record)) return record;
    const awake = async (signal: AbortSignal): Promise<InstanceRecord> => {
      let current = record;
      // It may have fallen asleep while nobody was known to wait, or do so once more.
      while (!isServing(current)) {
        await this.#wake(current, options);
        const isNews = (row: InstanceRecord) => met(row) || isAsleep(row);
        current = await this.#waiter.until(record.id, isNews, { signal });
      }
      return current;
    };
    return withDeadline(awake, {
      clock,
      timeoutMs: leftMs,
      signals: [options.signal],
      expired: () => tooLate(last),
    });
  }

  /** Moves `wantedUntil` forward while a call or session is open. Returns what ends that. */
  keepAwake(record: InstanceRecord): () => void {
    if (!sleeps(record)) return () => undefined;
    const { idleTimeoutMs } = lifecycleMsOf(record);
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

  async #wake(record: InstanceRecord, { actor }: AwakeOptions): Promise<void> {
    if (!sleeps(record) && !isAsleep(record)) return;
    // The first of many callers wakes it; what it began is not to be begun again for the others.
    if (await this.#want(record, { actor })) this.#context.wake(record.id, 'hint');
  }

  /**
   * @param wake - for a call that wakes: who makes it
   * @returns whether that was not known yet
   */
  async #want(record: InstanceRecord, wake?: { readonly actor: string | undefined }): Promise<boolean> {
    const { idleTimeoutMs } = lifecycleMsOf(record);
    const last = { changes: false };
    await changeInstance(this.#context, record.id, {
      origin: { actor: wake?.actor },
      decide: (current) => {
        const { wantedUntil } = current.runtime;
        const rouses = wake !== undefined && isAsleep(current);
        const leftMs = wantedUntil === null ? 0 : Date.parse(wantedUntil) - this.#context.clock.now();
        // At most one write in each third of the idle time.
        last.changes = rouses || leftMs <= (idleTimeoutMs * 2) / 3;
        if (!last.changes) return null;
        const runtime = { wantedUntil: timestamp(this.#context, idleTimeoutMs) };
        if (!rouses) return { runtime };
        return {
          // Written with the wish: however late its worker reads the row, it is not put to sleep again before it has served.
          facts: [{ kind: 'run-wanted' }],
          runtime,
          // Its owner, where that is another process, has to be told.
          events: (row) => (this.#owned.owns(row) ? [] : [this.#started(row, wake.actor)]),
        };
      },
    });
    return last.changes;
  }

  #started(row: InstanceRecord, actor: string | undefined): EventDraft {
    const origin = instanceOrigin(row, actor);
    return draftEvent(this.#context, origin, { type: 'MCPServerInstanceStarted', data: instanceWish(row) });
  }
}

function sleeps(record: InstanceRecord): boolean {
  return lifecycleOf(record).start === 'on-demand';
}

function refuseUnwanted(record: InstanceRecord): void {
  if (record.runtime.deleteRequestedAt !== null)
    throw overtaken('INSTANCE_DELETED', record, 'it is being deleted');
  if (record.desiredState === 'stopped') throw overtaken('INSTANCE_STOPPED', record, 'it is stopped');
}

function notReady(record: InstanceRecord): MCPInfraError {
  const { reason, message, nextRetryAt } = record.statusDetail;
  const why = reason === '' ? '' : ` (${reason}: ${message})`;
  const next = nextRetryAt === null ? '' : ` The next try is at ${nextRetryAt}.`;
  return mcpError('INSTANCE_NOT_READY', `The instance "${record.name}" is ${record.status}${why}.${next}`, {
    details: { status: record.status, ...stateOf(record) },
  });
}

function tooLate(record: InstanceRecord): MCPInfraError {
  const { reason, message } = record.statusDetail;
  const why = message === '' ? '' : ` (${reason === '' ? message : `${reason}: ${message}`})`;
  return mcpError(
    'REQUEST_TIMEOUT',
    `The instance "${record.name}" did not serve in time: it is ${record.status}${why}.`,
    { details: { status: record.status, ...stateOf(record) } },
  );
}
