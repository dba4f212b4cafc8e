import { messageOf, normaliseError } from '../domain/errors/normalise-error.js';
import type { InstanceRecord } from '../domain/instance/instance-record.js';
import { isServing } from '../domain/instance/mcp-server-instance.js';
import type { OwnedCopy } from '../ports/provider.js';
import { OrphanCollector } from './orphan-collector.js';
import type { WorkerParts } from './worker-parts.js';

const pageSize = 500;

/**
 * Compares every row with what each placement really runs, and wakes whatever differs. It makes every lost hint
 * harmless; it runs at the start, when leases changed, and every 30 seconds.
 */
export class Resync {
  readonly #parts: WorkerParts;
  readonly #collector: OrphanCollector;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#collector = new OrphanCollector(parts);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { context, condition, ownership } = this.#parts;
    const running = new Map<string, OwnedCopy['state']>();
    const reachable = new Set<string>();
    for (const [type, provider] of context.providers) {
      const placement = ownership.placement(type);
      // What lives nowhere cannot be gone or be too much: its row is all there is.
      if (placement === null || placement === '*') continue;
      try {
        const listed = await provider.list({ signal });
        reachable.add(type);
        for (const { copy, state } of listed)
          running.set(`${copy.instanceId}/${String(copy.revision)}`, state);
        await this.#collector.collectListed(provider, listed, { signal });
        condition.recovered(`provider:${type}`);
      } catch (error) {
        if (signal.aborted) return;
        condition.degraded(
          `provider:${type}`,
          normaliseError(error, 'PROVIDER_FAILED', `The provider "${type}" could not be asked`),
        );
      }
    }
    await this.#compare(running, reachable, signal);
  }

  async #compare(
    running: ReadonlyMap<string, OwnedCopy['state']>,
    reachable: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { context } = this.#parts;
    let cursor: string | undefined;
    do {
      const page = await context.store.instances.list({ limit: pageSize, cursor }, { signal });
      for (const record of page.items) {
        if (needsLook(record, running, reachable)) context.wake(record.id, 'hint');
        else this.#track(record);
      }
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && !signal.aborted);
    for (const drift of await context.store.counters.recount({ signal }).catch((error: unknown) => {
      context.logger.warn('the counters could not be checked', { error: messageOf(error) });
      return [];
    })) {
      context.logger.warn('a counter was wrong and has been repaired', { ...drift });
    }
  }

  #track(record: InstanceRecord): void {
    const { ownership, health } = this.#parts;
    const { type } = record.jsonSpec;
    const fence = ownership.fence({ id: record.id, type, placement: record.runtime.placement });
    if (isServing(record) && fence !== null) health.track(record, fence);
    else health.untrack(record.id);
  }
}

/** Whether a row and what runs differ, or something is under way. */
function needsLook(
  record: InstanceRecord,
  running: ReadonlyMap<string, OwnedCopy['state']>,
  reachable: ReadonlySet<string>,
): boolean {
  const { status, runtime, observedGeneration, generation } = record;
  if (runtime.deleteRequestedAt !== null || runtime.candidate || observedGeneration !== generation)
    return true;
  const lives = runtime.active ? running.get(`${record.id}/${String(runtime.active.revision)}`) : undefined;
  if (status === 'stopped' || status === 'idle') return lives === 'running';
  if (status === 'running') return !reachable.has(record.jsonSpec.type) || lives !== 'running';
  return true;
}
