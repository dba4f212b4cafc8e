import { isAborted, onAbort, orAborted } from '../../async/abort.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { Provider } from '../../ports/provider.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef } from '../ownership/link-registry.js';
import type { ReconcileServices } from './reconcile-services.js';

interface Retirement {
  readonly instanceId: string;
  readonly over: AbortController;
  readonly done: Promise<void>;
}

/**
 * The copies that updates replaced: each serves on for the clients it has, up to its `drain_timeout`, and is removed. They
 * have their own time, beside the passes over their instances; what a crash leaves of them, the resync removes.
 */
export class Retirements {
  readonly #parts: ReconcileServices;
  readonly #underWay = new Set<Retirement>();
  /** Aborted when nobody waits any more for copies to be removed. */
  readonly #lifetime = new AbortController();

  constructor(parts: ReconcileServices) {
    this.#parts = parts;
  }

  /** Begins the end of a copy that is no longer routed. */
  begin(record: InstanceRecord, copy: Copy, provider: Provider): void {
    const over = new AbortController();
    const done = this.#retire(record, copy, { provider, signal: over.signal });
    const retirement = { instanceId: record.id, over, done };
    this.#underWay.add(retirement);
    void done.then(() => this.#underWay.delete(retirement));
  }

  /**
   * Removes what is left of an instance's old copies now; an abort ends the wait for that only.
   *
   * @throws `ABORTED`
   */
  async end(instanceId: string, signal: AbortSignal): Promise<void> {
    await orAborted(
      this.#end((retirement) => retirement.instanceId === instanceId),
      signal,
    );
  }

  /** Removes all old copies now. What is not removed when the signal fires is given up, and left to the next resync. */
  async endAll(signal?: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#lifetime.abort(signal?.reason);
    if (isAborted(signal)) giveUp();
    const release = signal && onAbort(signal, giveUp);
    await this.#end(() => true);
    release?.();
  }

  async #end(concerns: (retirement: Retirement) => boolean): Promise<void> {
    const ending = [...this.#underWay].filter(concerns);
    for (const { over } of ending) over.abort();
    await Promise.all(ending.map(({ done }) => done));
  }

  async #retire(
    record: InstanceRecord,
    copy: Copy,
    { provider, signal }: { readonly provider: Provider; readonly signal: AbortSignal },
  ): Promise<void> {
    const { context, links, ownership, secrets } = this.#parts;
    const { drainTimeoutMs: withinMs, stopGraceMs: graceMs } = lifecycleMs(copy.spec);
    try {
      await links.vacate(record.id, copy.revision, { withinMs, signal });
      const owned = { id: record.id, type: copy.spec.type, placement: record.runtime.placement };
      // Another worker finds it as an orphan.
      if (ownership.fence(owned) === null) return;
      await provider.destroy(copyRef(record, copy), { graceMs }, { signal: this.#lifetime.signal });
    } catch (thrown) {
      const error = messageOf(secrets.scrubError(record.id, thrown));
      const fields = { instance: record.name, revision: copy.revision, error };
      context.logger.warn('a copy that was replaced could not be removed yet', fields);
    }
  }
}
