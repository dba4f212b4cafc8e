/*
 * Makes true what rows wish: one pass looks, acts and writes; beside it replacement, failures, resync and the collection of orphans.
 * The worker's queue calls it, and nobody else.
 * It never changes what is wished.
 */
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { isAtRest, type Copy, type InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { StatusFact } from '../../domain/instance/status-reducer.js';
import type { Observation } from '../../ports/provider.js';
import { BringUp, stepsToldBy } from './bring-up.js';
import { FailureRecorder } from './failure-recorder.js';
import type { InstanceChange } from '../context/instance-writer.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef } from '../ownership/link-registry.js';
import { writeUnderLease, type LeasedPass } from './leased-pass.js';
import { soonest, type ReconcileContext, type ReconcileResult } from '../../async/keyed-work.js';
import { failingUpdate, Replacement } from './replacement.js';
import { isFailure } from './told-exit.js';
import { Retirements } from './retirements.js';
import { canonicalJson } from '../../domain/canonical-json.js';
import { runDocumentOf, runHash } from '../context/run-document.js';
import { noteUnreachable } from './note-unreachable.js';
import type { OwnedKey } from '../context/ownership.js';
import type { ReconcileServices } from './reconcile-services.js';
import { isRemovable, removeRow } from './remove-row.js';
import { Sleeping } from './sleeping.js';

const settled: ReconcileResult = {};

/**
 * Makes true what is wanted of one instance: reads the row, looks at the copy, acts, writes what it saw.
 *
 * Level-triggered: a pass may end anywhere, by an abort, a crash or lost news, and the next one goes on from what is.
 */
export class Reconciler {
  readonly #services: ReconcileServices;
  readonly #bringUp: BringUp;
  readonly #failures: FailureRecorder;
  readonly #replacement: Replacement;
  readonly #retirements: Retirements;
  readonly #sleeping: Sleeping;
  /** What the passes under way need to own. */
  readonly #owned = new Map<string, OwnedKey & { readonly sinceMs: number }>();
  /** The version of each row when it was last read. */
  readonly #read = new Map<string, number>();

  constructor(services: ReconcileServices) {
    this.#services = services;
    this.#bringUp = new BringUp(services);
    this.#failures = new FailureRecorder(services);
    this.#retirements = new Retirements(services);
    this.#sleeping = new Sleeping(services);
    this.#replacement = new Replacement(services, {
      bringUp: this.#bringUp,
      failures: this.#failures,
      retirements: this.#retirements,
    });
  }

  async reconcile(id: string, reconcile: ReconcileContext): Promise<ReconcileResult> {
    const { context, ownership } = this.#services;
    const record = await context.store.instances.get(id, { signal: reconcile.signal });
    if (!record) {
      this.forget(id);
      return settled;
    }
    const { type } = record.jsonSpec;
    const provider = context.providers.get(type);
    const key: OwnedKey = { id, type, placement: record.runtime.placement };
    const fence = ownership.fence(key);
    if (isRemovable(record)) return this.#orLookAgain(() => this.#removeRow(record, fence ?? undefined));
    if (!provider || fence === null) {
      this.#letGo(id);
      await noteUnreachable(this.#services, record);
      return settled;
    }
    this.#read.set(id, record.resourceVersion);
    this.#bringUp.keepOnly(id, wantedRevisions(record));
    const pass: LeasedPass = { provider, fence, reconcile };
    // From here on it acts, and whatever hangs with its backend holds up only those of the same type.
    await reconcile.enter({ group: type, share: record.tenant });
    // While it waited for its place the lease may have gone, or gone and come back under another epoch.
    if (ownership.fence(key) !== fence) return { requeueAfterMs: 0 };
    this.#owned.set(id, { ...key, sinceMs: context.clock.monotonicMs() });
    try {
      return await this.#step(record, pass);
    } catch (thrown) {
      // From here on it is written and logged.
      const error = this.#services.secrets.scrubError(id, thrown);
      if (!MCPInfraError.isInstance(error)) throw error;
      // Somebody wrote meanwhile: look again at what is now.
      if (error.code === 'CONFLICT') return { requeueAfterMs: 0 };
      if (error.code === 'LEASE_LOST') return settled;
      if (isFailure(error) && !reconcile.signal.aborted) await this.#failures.stuck(id, error, pass);
      throw error;
    } finally {
      this.#owned.delete(id);
    }
  }

  /** How many instances something is kept of. */
  get size(): number {
    return this.#owned.size + this.#read.size + this.#bringUp.size;
  }

  /** Keeps nothing of an instance that is gone. */
  forget(id: string): void {
    const { health, secrets } = this.#services;
    this.#letGo(id);
    health.untrack(id);
    secrets.forget(id);
  }

  /** Ends what goes on apart from the passes: fetches, and old copies that still serve clients; those until the signal fires. */
  async stop(signal?: AbortSignal): Promise<void> {
    this.#bringUp.stop();
    await this.#retirements.endAll(signal);
  }

  /** Keeps nothing of an instance that others act on. */
  #letGo(id: string): void {
    this.#read.delete(id);
    this.#bringUp.keepOnly(id, []);
  }

  /** Whether the row has been read in this version or a newer one. */
  hasRead(id: string, resourceVersion: number): boolean {
    return (this.#read.get(id) ?? 0) >= resourceVersion;
  }

  /** The instances with a pass under way that this worker no longer owns. */
  lost(): readonly string[] {
    return [...this.#owned.values()]
      .filter((owned) => this.#services.ownership.fence(owned) === null)
      .map(({ id }) => id);
  }

  /** The instances of a type that have been acted on for longer than a time. */
  actingLong(type: string, longerThanMs: number): readonly string[] {
    const limitMs = this.#services.context.clock.monotonicMs() - longerThanMs;
    return [...this.#owned.values()]
      .filter((owned) => owned.type === type && owned.sinceMs < limitMs)
      .map(({ id }) => id);
  }

  async #step(record: InstanceRecord, pass: LeasedPass): Promise<ReconcileResult> {
    if (record.runtime.deleteRequestedAt !== null) return this.#remove(record, pass);
    if (record.desiredState === 'stopped') return this.#stop(record, pass, 'stopped');
    if (this.#sleeping.may(record)) return this.#stop(record, pass, 'slept');
    return this.#run(record, pass);
  }

  /** @param known - what was just seen of the active copy */
  async #run(given: InstanceRecord, pass: LeasedPass, known?: Observation): Promise<ReconcileResult> {
    let record = given;
    if (record.status === 'failed') {
      const { nextRetryAt } = record.statusDetail;
      if (nextRetryAt === null) return settled;
      const waitMs = Date.parse(nextRetryAt) - this.#services.context.clock.now();
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      record = await this.#write(record, pass, { facts: [{ kind: 'retry-began' }] });
    } else if (record.status === 'stopped' || record.status === 'idle' || record.status === 'stopping') {
      record = await this.#write(record, pass, { facts: [{ kind: 'run-wanted' }] });
    }
    const { active, candidate, renew } = record.runtime;
    if (!active || renew) return this.#startNew(record, pass);
    if (candidate && !isServing(record) && !this.#replacement.overlaps(pass, candidate)) {
      // The old copy was stopped to make room for it.
      return this.#replacement.goOn(record, candidate, { ...pass, active });
    }
    const seen =
      known ?? (await pass.provider.observe(copyRef(record, active), { signal: pass.reconcile.signal }));
    if (isServing(record)) return this.#serving(record, { ...pass, active, seen });
    if (seen.state === 'exited' && record.status === 'starting') {
      return this.#failures.exitedAtStart(record, { ...pass, copy: active, exit: seen.exit });
    }
    if (!candidate && (await this.#isOutdated(record, active))) return this.#startNew(record, pass);
    return this.#start(record, active, { ...pass, seen });
  }

  async #serving(
    record: InstanceRecord,
    pass: LeasedPass & { readonly active: Copy; readonly seen: Observation },
  ): Promise<ReconcileResult> {
    const { active, seen } = pass;
    const { health, links, ownership } = this.#services;
    // It cannot be gone, also where this process has not asked for it yet; and it cannot be restarted.
    const livesNowhere = ownership.placement(active.spec.type) === '*';
    if (seen.state !== 'running' && !livesNowhere) {
      health.untrack(record.id);
      // Not awaited: saying goodbye to what is gone may take seconds.
      void links.drop(record.id, active.revision);
      if (seen.state === 'exited') {
        const failed = await this.#failures.crashed(record, { ...pass, exit: seen.exit });
        return this.#run(failed, pass, seen);
      }
      // Removed behind our back, or gone with its worker: nothing crashed, so nothing is counted.
      const wanted = await this.#write(record, pass, { facts: [{ kind: 'run-wanted' }] });
      return this.#start(wanted, active, { ...pass, seen });
    }
    const { candidate } = record.runtime;
    if (candidate) return this.#replacement.goOn(record, candidate, { ...pass, active });
    // What an earlier worker saw, or what was so before the engine was away, is seen again before it is acted on.
    if (record.status === 'unhealthy' && !livesNowhere && health.confirms(record.id)) {
      const restarted = await this.#failures.restartUnhealthy(record, pass);
      return restarted.kind === 'busy' ? { requeueAfterMs: 1_000 } : this.#run(restarted.record, pass);
    }
    let current = record;
    // That this owner has seen it is what makes it count as running.
    if (pass.provider.copiesEndWithProcess === true && record.runtime.leaseEpoch !== pass.fence)
      current = await this.#write(record, pass, { runtime: { leaseEpoch: pass.fence } });
    if (current.observedGeneration !== current.generation)
      return this.#converge(current, { ...pass, active });
    health.track(current, pass.fence);
    return this.#sleeping.later(current);
  }

  /** Makes a copy that runs like what is wanted now, by another one where it takes that. */
  async #converge(
    record: InstanceRecord,
    pass: LeasedPass & { readonly active: Copy },
  ): Promise<ReconcileResult> {
    const { health, links, context } = this.#services;
    const { active } = pass;
    const spec = await runDocumentOf(context, record);
    if (runHash(spec, record.runtime) !== active.runHash) {
      health.track(record, pass.fence);
      const asleep = this.#sleeping.later(record);
      if (record.runtime.refusedGeneration === record.generation) return asleep;
      return soonest(await this.#replacement.begin(record, spec, pass), asleep);
    }
    if (spec.protocol_era !== active.spec.protocol_era) await links.drop(record.id, active.revision);
    const same = canonicalJson(spec) === canonicalJson(active.spec);
    const current = await this.#write(record, pass, {
      // What runs is what is wanted now, so that an earlier update failed is of no matter any more.
      facts: [{ kind: 'update-over' }],
      fields: { observedGeneration: record.generation },
      runtime: same ? {} : { active: { ...active, spec } },
    });
    health.track(current, pass.fence);
    return this.#sleeping.later(current);
  }

  async #startNew(record: InstanceRecord, pass: LeasedPass): Promise<ReconcileResult> {
    const { context, links, health, ownership } = this.#services;
    const { active, candidate, lastRevision } = record.runtime;
    let current = record;
    if (isServing(record)) {
      health.untrack(record.id);
      current = await this.#write(record, pass, { facts: [{ kind: 'run-wanted' }] });
    }
    for (const old of [candidate, active].filter((copy) => copy !== null)) {
      await links.drop(record.id, old.revision);
      await this.#destroy(record, old, pass);
    }
    let copy: Copy;
    try {
      const spec = await runDocumentOf(context, current);
      copy = { revision: lastRevision + 1, runHash: runHash(spec, current.runtime), spec };
    } catch (error) {
      if (!isFailure(error)) throw error;
      return this.#failures.startFailed(current, { ...pass, copy: null, error });
    }
    // The revision is in the row before the provider hears of it, so that whatever it makes can be found and removed.
    const placement = ownership.placement(copy.spec.type);
    current = await this.#write(current, pass, {
      // It is made of what is wanted now.
      facts: [{ kind: 'update-over' }],
      runtime: {
        active: copy,
        candidate: null,
        lastRevision: copy.revision,
        renew: false,
        placement,
        secretFingerprint: null,
      },
    });
    return this.#start(current, copy, { ...pass, seen: { state: 'absent' } });
  }

  async #start(
    record: InstanceRecord,
    copy: Copy,
    pass: LeasedPass & { readonly seen: Observation },
  ): Promise<ReconcileResult> {
    let current = record;
    const say = async (fact: StatusFact): Promise<void> => {
      current = await this.#write(current, pass, { facts: [fact] });
    };
    const steps = stepsToldBy(say);
    try {
      const ready = await this.#bringUp.run(record, copy, { ...pass, steps });
      const change = this.#replacement.readyChange(current, ready);
      const runtime = { ...change.runtime, ...this.#sleeping.putOff(current) };
      current = await this.#write(current, pass, { ...change, runtime });
    } catch (error) {
      if (!isFailure(error)) throw error;
      return this.#failures.startFailed(current, { ...pass, copy, error });
    }
    this.#services.health.track(current, pass.fence);
    // An update that is under way goes on.
    return isAtRest(current) ? this.#sleeping.later(current) : { requeueAfterMs: 0 };
  }

  async #stop(record: InstanceRecord, pass: LeasedPass, kind: 'stopped' | 'slept'): Promise<ReconcileResult> {
    const { links, health } = this.#services;
    const { active, candidate } = record.runtime;
    const isSo = record.status === (kind === 'stopped' ? 'stopped' : 'idle') && !candidate;
    if (isSo && record.observedGeneration === record.generation) return settled;
    health.untrack(record.id);
    // Written before it is ended: what is wanted again meanwhile never takes a copy that ends for one that runs.
    const ending = { facts: [{ kind: 'stop-wanted' as const }], runtime: { renew: true } };
    const current = await this.#write(record, pass, isSo ? {} : ending);
    if (candidate) {
      await links.drop(record.id, candidate.revision);
      await this.#destroy(record, candidate, pass);
    }
    if (active && !isSo) {
      const { stopGraceMs: graceMs } = lifecycleMs(active.spec);
      await links.drop(record.id, active.revision);
      await pass.provider.ensureStopped(
        copyRef(record, active),
        { graceMs },
        { signal: pass.reconcile.signal },
      );
    }
    await this.#retirements.end(record.id, pass.reconcile.signal);
    await this.#write(current, pass, {
      facts: [{ kind }],
      runtime: { candidate: null, renew: true, failures: 0, steadySince: null },
      fields: { observedGeneration: current.generation },
    });
    return settled;
  }

  async #remove(record: InstanceRecord, pass: LeasedPass): Promise<ReconcileResult> {
    const { links, health } = this.#services;
    health.untrack(record.id);
    const copies = [record.runtime.candidate, record.runtime.active].filter((copy) => copy !== null);
    for (const copy of copies) {
      await links.drop(record.id, copy.revision);
      await this.#destroy(record, copy, pass);
    }
    await this.#retirements.end(record.id, pass.reconcile.signal);
    return this.#removeRow(record, pass.fence);
  }

  async #removeRow(record: InstanceRecord, fence: number | undefined): Promise<ReconcileResult> {
    await removeRow(this.#services.context, record, fence);
    this.forget(record.id);
    return settled;
  }

  /** Has the key looked at again when somebody wrote meanwhile. */
  async #orLookAgain(work: () => Promise<ReconcileResult>): Promise<ReconcileResult> {
    try {
      return await work();
    } catch (error) {
      if (MCPInfraError.isInstance(error) && error.code === 'CONFLICT') return { requeueAfterMs: 0 };
      throw error;
    }
  }

  async #destroy(record: InstanceRecord, copy: Copy, pass: LeasedPass): Promise<void> {
    const { stopGraceMs: graceMs } = lifecycleMs(copy.spec);
    await pass.provider.destroy(copyRef(record, copy), { graceMs }, { signal: pass.reconcile.signal });
  }

  async #isOutdated(record: InstanceRecord, active: Copy): Promise<boolean> {
    if (record.runtime.refusedGeneration === record.generation || failingUpdate(record)) return false;
    return runHash(await runDocumentOf(this.#services.context, record), record.runtime) !== active.runHash;
  }

  #write(record: InstanceRecord, pass: LeasedPass, change: InstanceChange): Promise<InstanceRecord> {
    return writeUnderLease(this.#services.context, record, { ...change, pass });
  }
}

/** The copies that are to run. */
function wantedRevisions({ desiredState, runtime }: InstanceRecord): readonly number[] {
  if (desiredState === 'stopped' || runtime.deleteRequestedAt !== null) return [];
  return [runtime.active, runtime.candidate].flatMap((copy) => (copy ? [copy.revision] : []));
}
