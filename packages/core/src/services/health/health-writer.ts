import { retryDelayMs } from '../../async/retry.js';
import { isAborted } from '../../async/abort.js';
import { Slots } from '../../async/slots.js';
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { changeInstance, type InstanceChange } from '../context/instance-writer.js';
import type { ServiceContext } from '../context/service-context.js';
import type { DueTimes } from './due-times.js';
import { copyOf, type HealthTarget } from './health-target.js';
import { toolsChanged } from './tools-changed.js';
import { factsOf, hasBecomeSteady, saysUnhealthy } from './verdict.js';

/** An engine that goes away makes news of everything on it at once. */
const writesAtOnce = 16;
const longestRetryMs = 5_000;

/**
 * Brings into a row what was seen of its server and is not there: what is known of the row is what was read or written,
 * never what was meant to be, so a write that fails is made again until it is.
 */
export class HealthWriter {
  readonly #context: ServiceContext;
  readonly #gone: (target: HealthTarget) => void;
  readonly #retries: DueTimes;
  readonly #slots = new Slots(writesAtOnce);

  constructor(
    context: ServiceContext,
    options: {
      readonly timers: (due: (key: string) => void) => DueTimes;
      readonly targetOf: (id: string) => HealthTarget | undefined;
      /** Told that the instance is no longer there or no longer ours. */
      readonly gone: (target: HealthTarget) => void;
    },
  ) {
    this.#context = context;
    this.#gone = options.gone;
    this.#retries = options.timers((id) => {
      const target = options.targetOf(id);
      if (target) this.settle(target);
    });
  }

  /** Has written what the row does not say, where there is such a thing. */
  settle(target: HealthTarget): void {
    if (target.unsure || this.#changeOf(target, target.record) !== null) void target.writes.run();
    else this.#confirm(target);
  }

  forget(id: string): void {
    this.#retries.delete(id);
  }

  stop(): void {
    this.#retries.clear();
  }

  /** One try; a failure sets the time of the next. */
  async write(target: HealthTarget): Promise<void> {
    const { signal } = target.ending;
    if (signal.aborted) return;
    const { handshake } = target;
    try {
      const written = await this.#slots.run(
        () =>
          changeInstance(this.#context, target.id, {
            origin: { fence: target.fence, signal },
            decide: (record) => this.#changeOf(target, record),
          }),
        signal,
      );
      if (isAborted(signal)) return;
      target.record = written;
      target.unsure = false;
      target.writeFailures = 0;
      if (target.handshake === handshake) target.handshake = null;
      this.settle(target);
    } catch (error) {
      if (!isAborted(signal)) this.#failed(target, error);
    }
  }

  #failed(target: HealthTarget, error: unknown): void {
    if (MCPInfraError.isInstance(error) && (error.code === 'NOT_FOUND' || error.code === 'LEASE_LOST')) {
      this.#gone(target);
      return;
    }
    // It may have been written all the same.
    target.unsure = true;
    target.writeFailures += 1;
    const { clock, random, logger } = this.#context;
    const inMs = Math.min(longestRetryMs, retryDelayMs(target.writeFailures + 1, random()));
    this.#retries.set(target.id, clock.monotonicMs() + inMs);
    const level = target.writeFailures === 1 ? 'warn' : 'debug';
    logger[level]('what a probe saw could not be written yet', {
      instance: target.record.name,
      failures: target.writeFailures,
      error: messageOf(error),
    });
  }

  #changeOf(target: HealthTarget, record: InstanceRecord): InstanceChange | null {
    const { seen, handshake, revision } = target;
    // The copy that was probed may have been replaced meanwhile.
    if (record.runtime.active?.revision !== revision) return null;
    const nowMs = this.#context.clock.now();
    const facts = seen ? factsOf(record, seen, nowMs) : [];
    if (facts.length === 0 && handshake === null) return null;
    const isSteady = seen?.kind === 'passed' && hasBecomeSteady(record, nowMs);
    const event = handshake ? toolsChanged(this.#context, record, handshake.tools) : undefined;
    return {
      facts,
      runtime: { ...(handshake ? { handshake } : {}), ...(isSteady ? { failures: 0 } : {}) },
      events: () => (event ? [event] : []),
    };
  }

  /** Lets the reconciler act on an unhealthy server once a probe of ours has seen it, and once for each time. */
  #confirm(target: HealthTarget): void {
    const isSeen = target.seen?.kind === 'failed' && copyOf(target) !== null && saysUnhealthy(target.record);
    const isNew = isSeen && !target.confirmed;
    target.confirmed = isSeen;
    if (isNew) this.#context.wake(target.id, 'hint');
  }
}
