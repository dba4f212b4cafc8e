import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { normaliseError } from '../../domain/errors/normalise-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { OwnedCopy, Provider } from '../../ports/provider.js';
import { refuseUnknownOptions } from '../context/known-options.js';
import type { ReconcileServices } from './reconcile-services.js';

/** How orphans are collected. */
export interface CollectOptions {
  /** Remove also when it is many. @defaultValue false */
  readonly force?: boolean | undefined;
  /** The id of another store of this fleet whose copies are to be removed too. */
  readonly foreignStore?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a collection did. */
export interface CollectResult {
  /** The names of the copies that were removed. */
  readonly removed: readonly string[];
  /** Copies of other stores of this fleet, which were left alone. */
  readonly foreign: readonly { readonly name: string; readonly storeId: string }[];
}

/** A copy this young, in milliseconds, may belong to a row that is being written. */
export const orphanGraceMs = 10_000;

/**
 * Finds copies that no row speaks of, and removes them.
 *
 * A pass that would remove more than 5 copies and more than half of what there is stops: an empty or restored database
 * must not end a fleet.
 */
export class OrphanCollector {
  readonly #parts: ReconcileServices;
  /** By provider: when copies were first seen that look too young, since the clock of an engine may be wrong. */
  readonly #young = new Map<string, ReadonlyMap<string, number>>();

  constructor(parts: ReconcileServices) {
    this.#parts = parts;
  }

  /** Whether some copy was too young to be called an orphan when it was last looked at. */
  get hasYoung(): boolean {
    return [...this.#young.values()].some(({ size }) => size > 0);
  }

  async collect(options: CollectOptions = {}): Promise<CollectResult> {
    refuseUnknownOptions('collect()', options, ['force', 'foreignStore', 'signal']);
    const found = await Promise.all(
      [...this.#parts.context.providers.values()].map(async (provider) => {
        const listed = await provider.list({ signal: options.signal });
        return this.collectListed(provider, { listed, strangers: listed }, options);
      }),
    );
    return {
      removed: found.flatMap(({ removed }) => removed),
      foreign: found.flatMap(({ foreign }) => foreign),
    };
  }

  /**
   * Collects among copies that a provider has listed already.
   *
   * @param copies - all of them, and those that may be orphans; each of these is looked up once more
   */
  async collectListed(
    provider: Provider,
    {
      listed,
      strangers,
    }: { readonly listed: readonly OwnedCopy[]; readonly strangers: readonly OwnedCopy[] },
    options: CollectOptions = {},
  ): Promise<CollectResult> {
    const { context, condition } = this.#parts;
    const { storeId } = context.identity();
    const isMine = (owned: OwnedCopy): boolean =>
      owned.storeId === storeId || owned.storeId === options.foreignStore;
    const mine = listed.filter(isMine);
    const foreign = listed
      .filter((owned) => !isMine(owned))
      .map((owned) => ({ name: copyName(owned), storeId: owned.storeId }));
    const orphans: OwnedCopy[] = [];
    const seen = this.#young.get(provider.type);
    const young = new Map<string, number>();
    for (const owned of strangers.filter(isMine)) {
      if (!(await this.#isUnknown(owned, options))) continue;
      const seenMs = seen?.get(copyName(owned)) ?? context.clock.monotonicMs();
      if (options.force === true || this.#isOld(owned, seenMs)) orphans.push(owned);
      else young.set(copyName(owned), seenMs);
    }
    this.#young.set(provider.type, young);
    // The young ones too: else a fleet that is being made anew would be taken away a few at a time.
    const unknown = orphans.length + young.size;
    if (unknown > 5 && unknown * 2 > mine.length && options.force !== true) {
      const names = [...orphans.map(copyName), ...young.keys()];
      const message = `${String(unknown)} of ${String(mine.length)} copies belong to no instance of this store: ${names.slice(0, 5).join(', ')}, … None was removed.`;
      condition.degraded(
        `orphans:${provider.type}`,
        mcpError('ORPHANS_SUSPECT', message, { details: { names } }),
      );
      return { removed: [], foreign };
    }
    condition.recovered(`orphans:${provider.type}`);
    const removed: string[] = [];
    for (const owned of orphans) {
      try {
        await provider.destroy(owned.copy, { graceMs: 1_000 }, { signal: options.signal });
        removed.push(copyName(owned));
        context.logger.info('an orphan was removed', { copy: copyName(owned) });
      } catch (error) {
        const { code, message } = this.#parts.secrets.scrubError(
          owned.copy.instanceId,
          normaliseError(error, 'PROVIDER_FAILED', 'Removing an orphan failed'),
        );
        context.logger.warn('an orphan could not be removed', {
          copy: copyName(owned),
          code,
          error: message,
        });
      }
    }
    return { removed, foreign };
  }

  #isOld({ createdAt }: OwnedCopy, seenMs: number): boolean {
    const { clock } = this.#parts.context;
    const ages = [clock.now() - Date.parse(createdAt), clock.monotonicMs() - seenMs];
    return ages.some((ageMs) => ageMs >= orphanGraceMs);
  }

  /** Whether no row speaks of a copy. */
  async #isUnknown(owned: OwnedCopy, options: CollectOptions): Promise<boolean> {
    const { context, ownership, links } = this.#parts;
    if (owned.storeId === options.foreignStore && owned.storeId !== context.identity().storeId) return true;
    // It was replaced here, and is removed when its clients have gone.
    if (links.isVacating(owned.copy.instanceId, owned.copy.revision)) return false;
    const record = await context.store.instances.get(owned.copy.instanceId);
    if (!record) return true;
    const { type } = record.jsonSpec;
    // Only the owner of an instance may say which of its copies is too much.
    if (ownership.fence({ id: record.id, type, placement: record.runtime.placement }) === null) return false;
    return !hasCopy(record, owned.copy.revision);
  }
}

/** Whether a row speaks of a revision. */
function hasCopy(record: InstanceRecord, revision: number): boolean {
  const { active, candidate } = record.runtime;
  return active?.revision === revision || candidate?.revision === revision;
}

function copyName({ copy }: OwnedCopy): string {
  return `mcp-${copy.slug}-r${String(copy.revision)}`;
}
