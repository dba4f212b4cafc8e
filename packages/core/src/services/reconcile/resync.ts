import { isAborted } from '../../async/abort.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import { rowsOfPages } from '../../domain/list-page.js';
import { isAtRest, type InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { OwnedCopy, Provider } from '../../ports/provider.js';
import { lifecycleOf } from '../context/lifecycle-ms.js';
import { OrphanCollector } from './orphan-collector.js';
import { isRemovable } from './remove-row.js';
import { resumeRollOut, wantedDefinitions } from './resume-roll-outs.js';
import { noteUnreachable } from './note-unreachable.js';
import type { ReconcileServices } from './reconcile-services.js';

const pageSize = 500;

/** What a provider runs. */
interface Listing {
  readonly provider: Provider;
  readonly listed: readonly OwnedCopy[];
}

/**
 * Compares every row with what each placement really runs, and wakes whatever differs. It makes every lost hint
 * harmless; it runs at the start, when leases changed, and every 30 seconds.
 */
export class Resync {
  readonly #services: ReconcileServices;
  readonly #collector: OrphanCollector;

  constructor(services: ReconcileServices) {
    this.#services = services;
    this.#collector = new OrphanCollector(services);
  }

  /** Whether something was seen that has to be looked at again before the next turn. */
  get isUnsure(): boolean {
    return this.#collector.hasYoung;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { providers } = this.#services.context;
    const listings = (
      await Promise.all([...providers.values()].map((provider) => this.#list(provider, signal)))
    ).filter((listing) => listing !== undefined);
    if (isAborted(signal)) return;
    const running = new Map<string, OwnedCopy['state']>();
    for (const { listed } of listings)
      for (const { copy, state } of listed) running.set(copyKey(copy.instanceId, copy.revision), state);
    const reachable = new Set(listings.map(({ provider }) => provider.type));
    // Rows are read after the copies were listed: a row is always written before its copy is made.
    const known = await this.#compare(running, reachable, signal);
    if (isAborted(signal)) return;
    await Promise.all(
      listings.map(({ provider, listed }) => {
        const strangers = listed.filter(({ copy }) => !known.has(copyKey(copy.instanceId, copy.revision)));
        return this.#collector.collectListed(provider, { listed, strangers }, { signal });
      }),
    );
    await this.#recount(signal);
  }

  /** What a provider runs; `undefined` where that is not known, or nowhere. */
  async #list(provider: Provider, signal: AbortSignal): Promise<Listing | undefined> {
    const { context, condition, ownership } = this.#services;
    const { type } = provider;
    const placement = ownership.placement(type);
    // What lives nowhere cannot be gone or be too much: its row is all there is.
    if (placement === null || placement === '*') return undefined;
    try {
      return { provider, listed: await provider.list({ signal }) };
    } catch (error) {
      if (signal.aborted) return undefined;
      condition.evidence(`provider:${type}`);
      context.logger.debug('the copies of a provider could not be listed', { type, error: messageOf(error) });
      return undefined;
    }
  }

  /** Wakes what differs. Returns the copies that rows speak of. */
  async #compare(
    running: ReadonlyMap<string, OwnedCopy['state']>,
    reachable: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const { context } = this.#services;
    const known = new Set<string>();
    const leases = await context.store.leases.list({ signal });
    const wanted = await wantedDefinitions(context, signal);
    const { instances } = context.store;
    for await (const record of rowsOfPages((cursor) =>
      instances.list({ limit: pageSize, cursor }, { signal }),
    )) {
      const { active, candidate } = record.runtime;
      if (active) known.add(copyKey(record.id, active.revision));
      if (candidate) known.add(copyKey(record.id, candidate.revision));
      if (wanted.size > 0 && this.#isOurs(record)) await resumeRollOut(context, record, wanted);
      const isForeign = !context.providers.has(record.jsonSpec.type);
      if (isForeign && !isRemovable(record)) await noteUnreachable(this.#services, record, leases);
      else if (needsLook(record, running, reachable) || this.#isUnseen(record))
        context.wake(record.id, 'hint');
      else this.#track(record);
    }
    return known;
  }

  async #recount(signal: AbortSignal): Promise<void> {
    const { context } = this.#services;
    for (const drift of await context.store.counters.recount({ signal }).catch((error: unknown) => {
      context.logger.warn('the counters could not be checked', { error: messageOf(error) });
      return [];
    })) {
      context.logger.warn('a counter was wrong and has been repaired', { ...drift });
    }
  }

  /** A copy that ends with its process counts only once its present owner has seen it. */
  #isUnseen(record: InstanceRecord): boolean {
    const { context } = this.#services;
    if (context.providers.get(record.jsonSpec.type)?.copiesEndWithProcess !== true) return false;
    const fence = this.#fence(record);
    return fence !== null && fence !== record.runtime.leaseEpoch;
  }

  #track(record: InstanceRecord): void {
    const { health } = this.#services;
    const fence = this.#fence(record);
    if (isServing(record) && fence !== null) health.track(record, fence);
    else health.untrack(record.id);
  }

  #isOurs(record: InstanceRecord): boolean {
    return this.#fence(record) !== null;
  }

  #fence({ id, jsonSpec: { type }, runtime: { placement } }: InstanceRecord): number | null {
    return this.#services.ownership.fence({ id, type, placement });
  }
}

/** Whether a row and what runs differ, or something is under way. */
function needsLook(
  record: InstanceRecord,
  running: ReadonlyMap<string, OwnedCopy['state']>,
  reachable: ReadonlySet<string>,
): boolean {
  const { status, runtime } = record;
  if (runtime.deleteRequestedAt !== null || runtime.candidate || !isAtRest(record)) return true;
  const lives = runtime.active ? running.get(copyKey(record.id, runtime.active.revision)) : undefined;
  if (status === 'stopped') return lives === 'running';
  if (status === 'idle') return lives === 'running' || lifecycleOf(record).start === 'eager';
  if (status === 'running') return !reachable.has(record.jsonSpec.type) || lives !== 'running';
  return true;
}

function copyKey(instanceId: string, revision: number): string {
  return `${instanceId}/${String(revision)}`;
}
