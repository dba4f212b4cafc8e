/*
 * Makes true what rows wish: one pass looks, acts and writes; beside it replacement, failures, resync and the collection of orphans.
 * The worker's queue calls it, and nobody else.
 * It never changes what is wished.
 */
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import { resolveLifecycle } from '../../domain/json-spec/lifecycle.js';
import type { Observation } from '../../ports/provider.js';
import { BringUp, isFailure } from './bring-up.js';
import { draftEvent, instanceOrigin, instanceSubject } from '../context/event-drafts.js';
import { FailureRecorder } from './failure-recorder.js';
import { instanceCounters } from '../context/instance-counters.js';
import type { InstanceChange } from '../context/instance-writer.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef } from '../ownership/link-registry.js';
import { writePass, type Pass } from './pass.js';
import type { ReconcileContext, ReconcileResult } from '../../async/keyed-work.js';
import { nothingToSay, Replacement } from './replacement.js';
import { Retirements } from './retirements.js';
import { canonicalJson, runDocumentOf, runHash } from '../context/run-document.js';
import { noteUnreachable } from './unreachable.js';
import type { OwnedKey } from '../context/ownership.js';
import type { WorkerParts } from './worker-parts.js';

const settled: ReconcileResult = {};

/**
 * Makes true what is wanted of one instance: reads the row, looks at the copy, acts, writes what it saw.
 *
 * Level-triggered: a pass may end anywhere, by an abort, a crash or lost news, and the next one goes on from what is.
 */
export class Reconciler {
  readonly #parts: WorkerParts;
  readonly #bringUp: BringUp;
  readonly #failures: FailureRecorder;
  readonly #replacement: Replacement;
  readonly #retirements: Retirements;
  /** What the passes under way need to own. */
  readonly #owned = new Map<string, OwnedKey>();
  /** The version of each row when it was last read. */
  readonly #read = new Map<string, number>();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#bringUp = new BringUp(parts);
    this.#failures = new FailureRecorder(parts);
    this.#retirements = new Retirements(parts);
    this.#replacement = new Replacement(parts, {
      bringUp: this.#bringUp,
      failures: this.#failures,
      retirements: this.#retirements,
    });
  }

  async reconcile(id: string, reconcile: ReconcileContext): Promise<ReconcileResult> {
    const { context, ownership, health, secrets } = this.#parts;
    const record = await context.store.instances.get(id, { signal: reconcile.signal });
    if (record) this.#read.set(id, record.resourceVersion);
    else {
      this.#read.delete(id);
      health.untrack(id);
      secrets.forget(id);
      return settled;
    }
    const { type } = record.jsonSpec;
    const provider = context.providers.get(type);
    const fence = ownership.fence({ id, type, placement: record.runtime.placement });
    if (!provider || fence === null) {
      await noteUnreachable(this.#parts, record);
      return settled;
    }
    const pass: Pass = { provider, fence, reconcile };
    this.#owned.set(id, { id, type, placement: record.runtime.placement });
    try {
      return await this.#step(record, pass);
    } catch (thrown) {
      // From here on it is written and logged.
      const error = this.#parts.secrets.scrubError(id, thrown);
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

  /** Whether the row has been read in this version or a newer one. */
  hasRead(id: string, resourceVersion: number): boolean {
    return (this.#read.get(id) ?? 0) >= resourceVersion;
  }

  /** The instances with a pass under way that this worker no longer owns. */
  lost(): readonly string[] {
    return [...this.#owned.values()]
      .filter((owned) => this.#parts.ownership.fence(owned) === null)
      .map(({ id }) => id);
  }

  /** Removes the old copies that still serve clients. */
  async stop(): Promise<void> {
    await this.#retirements.endAll();
  }

  async #step(record: InstanceRecord, pass: Pass): Promise<ReconcileResult> {
    if (record.runtime.deleteRequestedAt !== null) return this.#remove(record, pass);
    if (record.desiredState === 'stopped') return this.#stop(record, pass, 'stopped');
    if (this.#maySleep(record)) return this.#stop(record, pass, 'slept');
    return this.#run(record, pass);
  }

  /** @param known - what was just seen of the active copy */
  async #run(given: InstanceRecord, pass: Pass, known?: Observation): Promise<ReconcileResult> {
    let record = given;
    if (record.status === 'failed') {
      const { nextRetryAt } = record.statusDetail;
      if (nextRetryAt === null) return settled;
      const waitMs = Date.parse(nextRetryAt) - this.#parts.context.clock.now();
      if (waitMs > 0) return { requeueAfterMs: waitMs };
    }
    if (!isServing(record) && record.status !== 'pulling' && record.status !== 'starting') {
      record = await this.#write(record, pass, { facts: [{ kind: 'run-wanted' }] });
    }
    if (record.runtime.candidate) return this.#replacement.goOn(record, record.runtime.candidate, pass);
    const { active, renew } = record.runtime;
    if (!active || renew) return this.#startNew(record, pass);

    const seen =
      known ?? (await pass.provider.observe(copyRef(record, active), { signal: pass.reconcile.signal }));
    if (isServing(record)) return this.#serving(record, { ...pass, active, seen });
    if (seen.state === 'exited' && record.status === 'starting') {
      return this.#failures.exitedAtStart(record, { ...pass, copy: active, exit: seen.exit });
    }
    if (await this.#isOutdated(record, active)) return this.#startNew(record, pass);
    return this.#start(record, active, pass);
  }

  async #serving(
    record: InstanceRecord,
    pass: Pass & { readonly active: Copy; readonly seen: Observation },
  ): Promise<ReconcileResult> {
    const { active, seen } = pass;
    const { health, links, context, ownership } = this.#parts;
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
      return this.#start(wanted, active, pass);
    }
    // What an earlier worker saw, or what was so before the engine was away, is seen again before it is acted on.
    if (record.status === 'unhealthy' && !livesNowhere && health.confirms(record.id)) {
      const restarted = await this.#failures.restartUnhealthy(record, pass);
      return restarted.kind === 'busy' ? { requeueAfterMs: 1_000 } : this.#run(restarted.record, pass);
    }
    let current = record;
    // That this owner has seen it is what makes it count as running.
    if (pass.provider.copiesEndWithProcess === true && record.runtime.leaseEpoch !== pass.fence)
      current = await this.#write(record, pass, { runtime: { leaseEpoch: pass.fence } });
    if (record.observedGeneration !== record.generation) {
      const spec = await runDocumentOf(context, record);
      const runsOther = runHash(spec, record.runtime) !== active.runHash;
      if (runsOther && record.runtime.refusedGeneration !== record.generation) {
        return this.#replacement.begin(current, spec, { ...pass, active });
      }
      if (spec.protocol_era !== active.spec.protocol_era) await links.drop(record.id, active.revision);
      const same = runsOther || canonicalJson(spec) === canonicalJson(active.spec);
      const rolledBack = record.statusDetail.reason === 'UPDATE_ROLLED_BACK';
      current = await this.#write(current, pass, {
        // What runs is what is wanted now, so that an earlier update failed is of no matter any more.
        facts: rolledBack && !runsOther ? [nothingToSay] : [],
        fields: { observedGeneration: record.generation },
        runtime: same ? {} : { active: { ...active, spec } },
      });
    }
    health.track(current, pass.fence);
    return this.#untilSleep(current);
  }

  async #startNew(record: InstanceRecord, pass: Pass): Promise<ReconcileResult> {
    const { context, links, health, ownership } = this.#parts;
    const { active, lastRevision } = record.runtime;
    let current = record;
    if (isServing(record)) {
      health.untrack(record.id);
      current = await this.#write(record, pass, { facts: [{ kind: 'run-wanted' }] });
    }
    if (active) {
      await links.drop(record.id, active.revision);
      await this.#destroy(record, active, pass);
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
      runtime: {
        active: copy,
        lastRevision: copy.revision,
        renew: false,
        placement,
        secretFingerprint: null,
      },
    });
    return this.#start(current, copy, pass);
  }

  async #start(record: InstanceRecord, copy: Copy, pass: Pass): Promise<ReconcileResult> {
    let current = record;
    const steps = {
      pulling: async () => {
        current = await this.#write(current, pass, { facts: [{ kind: 'pull-began' }] });
      },
      starting: async () => {
        current = await this.#write(current, pass, { facts: [{ kind: 'start-began' }] });
      },
    };
    try {
      const ready = await this.#bringUp.run(record, copy, { ...pass, steps });
      current = await this.#write(current, pass, this.#replacement.readyChange(current, ready));
    } catch (error) {
      if (!isFailure(error)) throw error;
      return this.#failures.startFailed(current, { ...pass, copy, error });
    }
    this.#parts.health.track(current, pass.fence);
    return this.#untilSleep(current);
  }

  async #stop(record: InstanceRecord, pass: Pass, kind: 'stopped' | 'slept'): Promise<ReconcileResult> {
    const { links, health } = this.#parts;
    const { active, candidate } = record.runtime;
    const isSo = record.status === (kind === 'stopped' ? 'stopped' : 'idle') && !candidate;
    if (isSo && record.observedGeneration === record.generation) return settled;
    health.untrack(record.id);
    const current = await this.#write(record, pass, isSo ? {} : { facts: [{ kind: 'stop-wanted' }] });
    if (candidate) {
      await links.drop(record.id, candidate.revision);
      await this.#destroy(record, candidate, pass);
    }
    await this.#retirements.end(record.id);
    if (active && !isSo) {
      const { stopGraceMs: graceMs } = lifecycleMs(active.spec);
      await links.drop(record.id, active.revision);
      await pass.provider.ensureStopped(
        copyRef(record, active),
        { graceMs },
        { signal: pass.reconcile.signal },
      );
    }
    await this.#write(current, pass, {
      facts: [{ kind }],
      runtime: { candidate: null, renew: true, failures: 0, steadySince: null },
      fields: { observedGeneration: current.generation },
    });
    return settled;
  }

  async #remove(record: InstanceRecord, pass: Pass): Promise<ReconcileResult> {
    const { context, links, health, secrets } = this.#parts;
    health.untrack(record.id);
    const copies = [record.runtime.candidate, record.runtime.active].filter((copy) => copy !== null);
    for (const copy of copies) {
      await links.drop(record.id, copy.revision);
      await this.#destroy(record, copy, pass);
    }
    await this.#retirements.end(record.id);
    for (const scope of record.runtime.ownedSecretScopes) await context.secretStore?.deleteScope(scope);
    const origin = instanceOrigin(record);
    await context.store.deleteInstance(record, {
      events: [
        draftEvent(context, origin, { type: 'MCPServerInstanceRemoved', data: instanceSubject(record) }),
      ],
      counters: instanceCounters(context, record.tenant, -1),
      fence: pass.fence,
    });
    context.committed();
    context.logger.info('instance removed', { instance: record.name });
    secrets.forget(record.id);
    return settled;
  }

  async #destroy(record: InstanceRecord, copy: Copy, pass: Pass): Promise<void> {
    const { stopGraceMs: graceMs } = lifecycleMs(copy.spec);
    await pass.provider.destroy(copyRef(record, copy), { graceMs }, { signal: pass.reconcile.signal });
  }

  async #isOutdated(record: InstanceRecord, active: Copy): Promise<boolean> {
    if (record.runtime.refusedGeneration === record.generation) return false;
    return runHash(await runDocumentOf(this.#parts.context, record), record.runtime) !== active.runHash;
  }

  /** An on-demand instance that nobody has used for its idle time. */
  #maySleep(record: InstanceRecord): boolean {
    const { active, wantedUntil } = record.runtime;
    const spec = active?.spec ?? record.jsonSpec;
    if (resolveLifecycle(spec).start !== 'on-demand' || wantedUntil === null) return false;
    const inUse = active
      ? (this.#parts.links.get(record.id, active.revision)?.callsInFlight ?? 0) > 0
      : false;
    return !inUse && Date.parse(wantedUntil) <= this.#parts.context.clock.now();
  }

  #untilSleep(record: InstanceRecord): ReconcileResult {
    const { active, wantedUntil } = record.runtime;
    if (!active || wantedUntil === null || resolveLifecycle(active.spec).start !== 'on-demand')
      return settled;
    return { requeueAfterMs: Math.max(1_000, Date.parse(wantedUntil) - this.#parts.context.clock.now()) };
  }

  #write(record: InstanceRecord, pass: Pass, change: InstanceChange): Promise<InstanceRecord> {
    return writePass(this.#parts.context, record, { ...change, pass });
  }
}
