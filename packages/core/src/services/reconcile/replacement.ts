import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { StatusFact } from '../../domain/instance/status-reducer.js';
import { isServing, type UpdateFailure } from '../../domain/instance/mcp-server-instance.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { isBackendAway } from './backend-away.js';
import { type BringUp, type ReadyCopy, stepsToldBy } from './bring-up.js';
import { timestamp } from '../context/event-drafts.js';
import type { FailureRecorder } from './failure-recorder.js';
import type { InstanceChange } from '../context/instance-writer.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef } from '../ownership/link-registry.js';
import type { ReconcileResult } from '../../async/keyed-work.js';
import { writeUnderLease, type LeasedPass } from './leased-pass.js';
import { runDocumentOf, runHash } from '../context/run-document.js';
import type { Retirements } from './retirements.js';
import { passedMessage } from '../health/passed-message.js';
import { toolsChanged } from '../health/tools-changed.js';
import { sleep } from '../../async/sleep.js';
import type { ReconcileServices } from './reconcile-services.js';
import { exitedAtStart, isFailure } from './told-exit.js';

type WithActive = LeasedPass & { readonly active: Copy };

/**
 * Replaces a running copy by one of the new document: start, probe, switch, drain the old one. A new copy that does not
 * become ready is removed and the old one serves on; what may pass by itself is tried again, as long as a start may take.
 *
 * Where two copies cannot run side by side, the old one is stopped first and started again after a failure.
 */
export class Replacement {
  readonly #services: ReconcileServices;
  readonly #bringUp: BringUp;
  readonly #failures: FailureRecorder;
  readonly #retirements: Retirements;

  constructor(
    services: ReconcileServices,
    steps: {
      readonly bringUp: BringUp;
      readonly failures: FailureRecorder;
      readonly retirements: Retirements;
    },
  ) {
    this.#services = services;
    this.#bringUp = steps.bringUp;
    this.#failures = steps.failures;
    this.#retirements = steps.retirements;
  }

  /** Decides on a candidate, once its time has come. */
  async begin(record: InstanceRecord, spec: JsonSpec, pass: WithActive): Promise<ReconcileResult> {
    const failing = failingUpdate(record);
    const waitMs = failing?.nextRetryAt ? Date.parse(failing.nextRetryAt) - this.#nowMs() : 0;
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const revision = record.runtime.lastRevision + 1;
    const candidate: Copy = { revision, runHash: runHash(spec, record.runtime), spec };
    const decided = await this.#write(record, pass, {
      // What an earlier update left to say is over.
      facts: failing ? [] : [{ kind: 'update-over' }],
      runtime: { candidate, lastRevision: revision },
    });
    return this.goOn(decided, candidate, pass);
  }

  /** Whether the old copy serves while the candidate is brought up. */
  overlaps({ provider }: LeasedPass, candidate: Copy): boolean {
    return provider.canOverlap?.(candidate.spec) ?? true;
  }

  /** Goes on with a candidate that was decided on, here or by a worker before. */
  async goOn(given: InstanceRecord, candidate: Copy, pass: WithActive): Promise<ReconcileResult> {
    let record = given;
    const { active } = pass;
    const spec = await runDocumentOf(this.#services.context, record);
    if (runHash(spec, record.runtime) !== candidate.runHash) {
      await this.#discard(record, candidate, pass);
      await this.#write(record, pass, { runtime: { candidate: null } });
      return { requeueAfterMs: 0 };
    }
    const overlapping = this.overlaps(pass, candidate);
    if (overlapping) this.#services.health.track(record, pass.fence);
    else if (isServing(record)) record = await this.#makeRoom(record, active, pass);
    const say = async (fact: StatusFact): Promise<void> => {
      // While the old copy serves, the status is the old copy's.
      if (!overlapping) record = await this.#write(record, pass, { facts: [fact] });
    };
    const steps = stepsToldBy(say);
    try {
      const seen = await pass.provider.observe(copyRef(record, candidate), { signal: pass.reconcile.signal });
      // A candidate is started once: one that ended has failed.
      if (seen.state === 'exited') throw exitedAtStart(seen);
      const ready = await this.#bringUp.run(record, candidate, { ...pass, seen, steps });
      record = await this.#switch(record, candidate, { ...pass, ready });
    } catch (error) {
      // A backend that is away says nothing of the candidate, which stays.
      if (!isFailure(error) || isBackendAway(error)) throw error;
      return this.#failed(record, candidate, { ...pass, error });
    }
    this.#services.health.track(record, pass.fence);
    this.#retirements.begin(record, active, pass.provider);
    return {};
  }

  /** What is written when a copy has become ready. */
  readyChange(record: InstanceRecord, ready: ReadyCopy): InstanceChange {
    const { report, endpoint, secretFingerprint } = ready;
    const { handshake, unauthorized } = report;
    const event = handshake ? toolsChanged(this.#services.context, record, handshake.tools) : undefined;
    const health = unauthorized ? 'unauthorized' : 'healthy';
    const message = passedMessage(health, handshake);
    // What runs again while an update is under way, or after it was given up, is not what is wanted.
    const isWanted = record.runtime.candidate === null && !failingUpdate(record);
    return {
      facts: [
        ...(isWanted ? [{ kind: 'update-over' as const }] : []),
        { kind: 'probe-passed', endpoint, health, message },
      ],
      runtime: {
        steadySince: timestamp(this.#services.context),
        ...(handshake ? { handshake } : {}),
        ...(secretFingerprint === undefined ? {} : { secretFingerprint }),
      },
      fields: isWanted ? { observedGeneration: record.generation } : {},
      events: () => (event ? [event] : []),
    };
  }

  async #switch(
    record: InstanceRecord,
    candidate: Copy,
    pass: LeasedPass & { readonly ready: ReadyCopy },
  ): Promise<InstanceRecord> {
    const change = this.readyChange(record, pass.ready);
    const facts: StatusFact[] = [
      { kind: 'update-over' },
      ...(isServing(record) || record.status === 'starting' ? [] : [{ kind: 'start-began' as const }]),
      ...(change.facts ?? []),
    ];
    const runtime = {
      // That of the old copy says nothing of this one.
      secretFingerprint: null,
      ...change.runtime,
      active: candidate,
      candidate: null,
      failures: 0,
      refusedGeneration: null,
    };
    const fields = { observedGeneration: record.generation };
    return this.#write(record, pass, { ...change, facts, runtime, fields });
  }

  /** Removes a candidate that failed; the row says why, and when the next one is tried or that none is. */
  async #failed(
    record: InstanceRecord,
    candidate: Copy,
    pass: LeasedPass & { readonly error: MCPInfraError },
  ): Promise<ReconcileResult> {
    if (pass.reconcile.signal.aborted)
      throw mcpError('ABORTED', 'The update was ended.', { cause: pass.reconcile.signal.reason });
    const { context, secrets } = this.#services;
    const exit = await this.#failures.exitOf(record, candidate, pass);
    await this.#discard(record, candidate, pass);
    const error = secrets.scrubError(record.id, pass.error);
    const at = timestamp(context);
    const earlier = failingUpdate(record);
    const attempts = (earlier?.attempts ?? 0) + 1;
    const since = earlier?.since ?? at;
    const delayMs = this.#failures.retryDelayMs(attempts + 1);
    // As long as a start may take, and no longer: one that had all its time has had it.
    const endMs = Date.parse(since) + lifecycleMs(candidate.spec).startupTimeoutMs;
    const mayPass = error.retryable && error.code !== 'STARTUP_TIMEOUT' && this.#nowMs() + delayMs <= endMs;
    const update: UpdateFailure = {
      generation: record.generation,
      reason: error.code,
      message: `${error.message} ${error.remedy}`,
      since,
      at,
      attempts,
      nextRetryAt: mayPass ? timestamp(context, delayMs) : null,
      lastExit: exit,
    };
    await this.#write(record, pass, {
      facts: [
        { kind: 'update-failed', update },
        ...(isServing(record) ? [] : [{ kind: 'run-wanted' as const }]),
      ],
      runtime: { candidate: null, ...(mayPass ? {} : { refusedGeneration: record.generation }) },
    });
    const what = mayPass ? 'an update failed and is tried again' : 'an update was rolled back';
    const { code, message } = error;
    context.logger.warn(what, { instance: record.name, code, cause: message, attempts });
    return { requeueAfterMs: 0 };
  }

  async #makeRoom(record: InstanceRecord, active: Copy, pass: LeasedPass): Promise<InstanceRecord> {
    this.#services.health.untrack(record.id);
    await this.#drain(record, active, pass);
    const { stopGraceMs: graceMs } = lifecycleMs(active.spec);
    await pass.provider.ensureStopped(
      copyRef(record, active),
      { graceMs },
      { signal: pass.reconcile.signal },
    );
    return this.#write(record, pass, { facts: [{ kind: 'run-wanted' }] });
  }

  async #drain(record: InstanceRecord, copy: Copy, pass: LeasedPass): Promise<void> {
    const { links, context } = this.#services;
    pass.reconcile.leave();
    const over = new AbortController();
    const { stopGraceMs } = lifecycleMs(copy.spec);
    const timeUp = sleep(context.clock, stopGraceMs, over.signal);
    await Promise.race([timeUp, links.drain(record.id, copy.revision, over.signal)]);
    over.abort();
    await links.drop(record.id, copy.revision);
  }

  async #discard(record: InstanceRecord, copy: Copy, pass: LeasedPass): Promise<void> {
    const { stopGraceMs: graceMs } = lifecycleMs(copy.spec);
    await this.#services.links.drop(record.id, copy.revision);
    await pass.provider.destroy(copyRef(record, copy), { graceMs }, { signal: pass.reconcile.signal });
  }

  #nowMs(): number {
    return this.#services.context.clock.now();
  }

  #write(record: InstanceRecord, pass: LeasedPass, change: InstanceChange): Promise<InstanceRecord> {
    return writeUnderLease(this.#services.context, record, { ...change, pass });
  }
}

/** What is told of an update to what is wanted now; `undefined` where no try of it has failed. */
export function failingUpdate({ statusDetail, generation }: InstanceRecord): UpdateFailure | undefined {
  return statusDetail.update?.generation === generation ? statusDetail.update : undefined;
}
