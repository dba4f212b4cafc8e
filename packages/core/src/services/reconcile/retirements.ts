import { isAborted, onAbort, orAborted } from '../../async/abort.js';
import { retryDelayMs } from '../../async/retry.js';
import { sleep } from '../../async/sleep.js';
import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { normaliseError } from '../../domain/errors/normalise-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { Provider } from '../../ports/provider.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef } from '../ownership/link-registry.js';
import type { ReconcileServices } from './reconcile-services.js';

/** A copy that is to go. */
interface Retiring {
  readonly record: InstanceRecord;
  readonly copy: Copy;
  readonly provider: Provider;
}

/** One try to remove a copy, the wait before it included. */
interface Attempt {
  /** Aborted to end the wait. */
  readonly hurry: AbortController;
  /** Resolves with what it failed with. */
  readonly over: Promise<MCPInfraError | undefined>;
}

/**
 * The copies that updates replaced: each serves on for the clients it has, up to its `drain_timeout`, and is removed. They
 * have their own time, beside the passes over their instances; a removal that fails is tried again until it succeeds. What
 * a crash leaves of them, the resync removes.
 */
export class Retirements {
  readonly #parts: ReconcileServices;
  readonly #underWay = new Map<Retiring, Attempt>();
  /** Aborted when nobody waits any more for copies to be removed. */
  readonly #lifetime = new AbortController();

  constructor(parts: ReconcileServices) {
    this.#parts = parts;
  }

  /** Begins the end of a copy that is no longer routed. */
  begin(record: InstanceRecord, copy: Copy, provider: Provider): void {
    void this.#retire({ record, copy, provider });
  }

  /**
   * Removes what is left of an instance's old copies now; an abort ends the wait for that only.
   *
   * @throws `ABORTED`, and what a removal failed with; it goes on being tried then
   */
  async end(instanceId: string, signal: AbortSignal): Promise<void> {
    const failures = await orAborted(
      this.#hurry(({ record }) => record.id === instanceId),
      signal,
    );
    const [first] = failures;
    if (first) throw first;
  }

  /** Removes all old copies now. What is not removed when the signal fires is given up, and left to the next resync. */
  async endAll(signal?: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#lifetime.abort(signal?.reason);
    if (isAborted(signal)) giveUp();
    const release = signal && onAbort(signal, giveUp);
    await this.#hurry(() => true);
    release?.();
    this.#lifetime.abort();
  }

  /** Has copies removed without waiting any longer. Returns what that failed with. */
  async #hurry(concerns: (retiring: Retiring) => boolean): Promise<readonly MCPInfraError[]> {
    const attempts = [...this.#underWay].filter(([retiring]) => concerns(retiring));
    for (const [, { hurry }] of attempts) hurry.abort();
    const failures = await Promise.all(attempts.map(([, { over }]) => over));
    return failures.filter((error) => error !== undefined);
  }

  async #retire(retiring: Retiring): Promise<void> {
    for (let failures = 0; ; failures++) {
      const hurry = new AbortController();
      const over = this.#attempt(retiring, failures, hurry.signal);
      this.#underWay.set(retiring, { hurry, over });
      if ((await over) === undefined || this.#lifetime.signal.aborted) break;
    }
    this.#underWay.delete(retiring);
  }

  async #attempt(
    { record, copy, provider }: Retiring,
    failures: number,
    hurry: AbortSignal,
  ): Promise<MCPInfraError | undefined> {
    const { context, links, ownership, secrets } = this.#parts;
    const { drainTimeoutMs: withinMs, stopGraceMs: graceMs } = lifecycleMs(copy.spec);
    const { signal } = this.#lifetime;
    try {
      if (failures === 0) await links.vacate(record.id, copy.revision, { withinMs, signal: hurry });
      else await sleep(context.clock, retryDelayMs(failures + 1, context.random()), hurry, signal);
      if (failures > 0 && isAborted(signal)) return undefined;
      const owned = { id: record.id, type: copy.spec.type, placement: record.runtime.placement };
      // Another worker finds it as an orphan.
      if (ownership.fence(owned) === null) return undefined;
      await provider.destroy(copyRef(record, copy), { graceMs }, { signal });
      return undefined;
    } catch (thrown) {
      const error = secrets.scrubError(
        record.id,
        normaliseError(thrown, 'PROVIDER_FAILED', 'Removing a copy that was replaced failed'),
      );
      const fields = { instance: record.name, revision: copy.revision, error: error.message };
      context.logger.warn('a copy that was replaced could not be removed yet', fields);
      return error;
    }
  }
}
