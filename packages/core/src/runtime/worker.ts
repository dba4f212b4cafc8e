import { MCPInfraError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { Event } from '../domain/events/event.js';
import type { EventType } from '../domain/events/event-map.js';
import type { Unsubscribe } from '../ports/common.js';
import type { Provider } from '../ports/provider.js';
import { hasFingerprintKey } from '../services/secrets/fingerprint-key.js';
import type { ReconcileNews } from '../async/keyed-work.js';
import { orphanGraceMs } from '../services/reconcile/orphan-collector.js';
import { Reconciler } from '../services/reconcile/reconciler.js';
import { Resync } from '../services/reconcile/resync.js';
import { watchSlots } from '../services/reconcile/watch-slots.js';
import { isAborted, underSignals } from '../async/abort.js';
import { passRetryMs } from '../services/reconcile/backend-away.js';
import { sleep } from '../async/sleep.js';
import type { ReconcileServices } from '../services/reconcile/reconcile-services.js';
import { KeyedQueue } from '../async/keyed-queue.js';

/** A pass that acts for longer, in milliseconds, is made again once its backend is back. */
const longActMs = 5_000;

/** The events by which another process tells that what is wanted of an instance has changed. */
const wishes: ReadonlySet<EventType> = new Set<EventType>([
  'MCPServerInstanceCreated',
  'MCPServerInstanceUpdated',
  'MCPServerInstanceStarted',
  'MCPServerInstanceStopped',
  'MCPServerInstanceDeleted',
  'MCPServerInstanceSecretsRotated',
]);

/** Reconciles the instances this process owns: the queue, what feeds it, and the resync behind it. */
export class Worker {
  readonly #parts: ReconcileServices;
  readonly #queue: KeyedQueue;
  readonly #reconciler: Reconciler;
  readonly #resync: Resync;
  readonly #resyncEveryMs: number;
  readonly #ending = new AbortController();
  #news = new AbortController();
  /** Aborted to compare anew, such as when what was asked for it may have been swallowed. */
  #comparing = new AbortController();
  readonly #watching = new Map<string, Unsubscribe>();
  #loops: Promise<unknown> | undefined;

  constructor(
    parts: ReconcileServices,
    options: { readonly parallel: number; readonly resyncEveryMs: number },
  ) {
    const { context } = parts;
    this.#reconciler = new Reconciler(parts);
    this.#parts = parts;
    this.#resync = new Resync(parts);
    this.#resyncEveryMs = options.resyncEveryMs;
    this.#queue = new KeyedQueue({
      reconcile: (id, reconcile) => this.#reconciler.reconcile(id, reconcile),
      clock: context.clock,
      parallel: options.parallel,
      retryMs: passRetryMs,
      onError: (id, error, failures) => {
        const code = MCPInfraError.isInstance(error) ? error.code : 'INTERNAL';
        context.logger.warn('an instance could not be reconciled', {
          instance: id,
          failures,
          code,
          error: messageOf(error),
        });
      },
    });
  }

  /** How many instances something is kept of in memory. */
  get size(): number {
    return this.#queue.size + this.#reconciler.size;
  }

  wake(id: string, news: ReconcileNews): void {
    if (!this.#ending.signal.aborted) this.#queue.add(id, news);
  }

  /** Looks at what an event says that somebody wishes, unless that has been read already. */
  heard({ type, subject, resourceVersion }: Event): void {
    if (type === 'MCPServerInstanceRemoved') this.#reconciler.forget(subject);
    if (!wishes.has(type) || !this.#parts.ownership.concerns(subject)) return;
    if (!this.#reconciler.hasRead(subject, resourceVersion)) this.wake(subject, 'wish-changed');
  }

  /** Leases changed: ends the passes over what others own now, and compares everything soon. */
  ownershipChanged(): void {
    for (const id of this.#reconciler.lost()) this.#queue.forget(id);
    this.#news.abort();
  }

  async start(): Promise<void> {
    const loops: Promise<void>[] = [];
    if (hasFingerprintKey(this.#parts.context)) {
      const { SecretRotation } = await import('../services/secrets/secret-rotation.js');
      loops.push(new SecretRotation(this.#parts).run(this.#parts, this.#ending.signal));
    }
    if (this.#parts.context.secretStore) {
      const { keepSwept } = await import('../services/secrets/secret-sweep.js');
      const { context, ownership } = this.#parts;
      loops.push(keepSwept(context, { ownership, everyMs: this.#resyncEveryMs }, this.#ending.signal));
    }
    loops.push(watchSlots(this.#parts, this.#ending.signal));
    this.#loops = Promise.all([this.#run(), ...loops]);
  }

  /** Listens to a provider that has been opened; a second call does nothing. */
  watch(provider: Provider): void {
    const { type } = provider;
    if (this.#watching.has(type) || this.#ending.signal.aborted) return;
    const { condition } = this.#parts;
    try {
      const off = provider.watch?.((copy) => {
        this.wake(copy.instanceId, 'hint');
      });
      this.#watching.set(type, off ?? (() => undefined));
      condition.report(`watch:${type}`, true);
    } catch (error) {
      // Tried again with the next look at the provider; until then the resync finds what nobody tells.
      condition.report(`watch:${type}`, false, messageOf(error));
    }
  }

  /** Makes again what a backend may have swallowed, and wakes all that waits for its next try. */
  recovered({ type }: Provider): void {
    for (const id of this.#reconciler.actingLong(type, longActMs)) this.wake(id, 'wish-changed');
    this.#comparing.abort();
    this.#news.abort();
  }

  /** Ends everything. What is not over when the signal fires is given up. */
  async stop(signal?: AbortSignal): Promise<void> {
    this.#ending.abort();
    for (const off of this.#watching.values()) off();
    this.#watching.clear();
    this.#parts.health.stop();
    await this.#queue.stop();
    await this.#reconciler.stop(signal);
    await this.#loops;
  }

  async #run(): Promise<void> {
    const { context } = this.#parts;
    while (!this.#ending.signal.aborted) {
      this.#news = new AbortController();
      this.#comparing = new AbortController();
      try {
        await underSignals([this.#ending.signal, this.#comparing.signal], (signal) =>
          this.#resync.run(signal),
        );
        this.#parts.condition.report('resync', true);
      } catch (error) {
        if (!isAborted(this.#ending.signal)) this.#parts.condition.report('resync', false, messageOf(error));
      }
      await sleep(
        context.clock,
        this.#resync.isUnsure ? Math.min(this.#resyncEveryMs, orphanGraceMs) : this.#resyncEveryMs,
        this.#ending.signal,
        this.#news.signal,
      );
    }
  }
}
