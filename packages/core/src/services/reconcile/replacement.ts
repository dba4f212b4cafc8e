import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { StatusFact } from '../../domain/instance/status-reducer.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { isFailure, type BringUp, type ReadyCopy } from './bring-up.js';
import { timestamp } from '../context/event-drafts.js';
import type { FailureRecorder } from './failure-recorder.js';
import type { InstanceChange } from '../context/instance-writer.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef } from '../ownership/link-registry.js';
import type { ReconcileResult } from '../../async/keyed-work.js';
import { writePass, type Pass } from './pass.js';
import { runDocumentOf, runHash } from '../context/run-document.js';
import type { Retirements } from './retirements.js';
import { toolsChanged } from '../health/tools-changed.js';
import { sleep } from '../../async/sleep.js';
import type { WorkerParts } from './worker-parts.js';

/** Takes back what a status said beside itself. */
export const nothingToSay: StatusFact = { kind: 'noted', reason: '', message: '' };

/**
 * Replaces a running copy by one of the new document: start, probe, switch, drain the old one. A new copy that does not
 * become ready is removed and the old one serves on.
 *
 * Where two copies cannot run side by side, the old one is stopped first and started again after a failure.
 */
export class Replacement {
  readonly #parts: WorkerParts;
  readonly #bringUp: BringUp;
  readonly #failures: FailureRecorder;
  readonly #retirements: Retirements;
  /** Why the last update of an instance failed; forgotten with the process. */
  readonly #refusals = new Map<string, string>();

  constructor(
    parts: WorkerParts,
    steps: {
      readonly bringUp: BringUp;
      readonly failures: FailureRecorder;
      readonly retirements: Retirements;
    },
  ) {
    this.#parts = parts;
    this.#bringUp = steps.bringUp;
    this.#failures = steps.failures;
    this.#retirements = steps.retirements;
  }

  /** Decides on a candidate. */
  async begin(
    record: InstanceRecord,
    spec: JsonSpec,
    pass: Pass & { readonly active: Copy },
  ): Promise<ReconcileResult> {
    const revision = record.runtime.lastRevision + 1;
    const candidate: Copy = { revision, runHash: runHash(spec, record.runtime), spec };
    const decided = await this.#write(record, pass, { runtime: { candidate, lastRevision: revision } });
    return this.goOn(decided, candidate, pass);
  }

  /** Goes on with a candidate that was decided on, here or by a worker before. */
  async goOn(given: InstanceRecord, candidate: Copy, pass: Pass): Promise<ReconcileResult> {
    let record = given;
    const { active } = record.runtime;
    const spec = await runDocumentOf(this.#parts.context, record);
    if (runHash(spec, record.runtime) !== candidate.runHash) {
      await this.#discard(record, candidate, pass);
      await this.#write(record, pass, { runtime: { candidate: null } });
      return { requeueAfterMs: 0 };
    }
    const overlapping = pass.provider.canOverlap?.(candidate.spec) ?? true;
    if (active && !overlapping) record = await this.#makeRoom(record, active, pass);
    const steps = {
      pulling: () => Promise.resolve(),
      starting: async () => {
        if (!overlapping) record = await this.#write(record, pass, { facts: [{ kind: 'start-began' }] });
      },
    };
    try {
      const ready = await this.#bringUp.run(record, candidate, { ...pass, steps });
      record = await this.#switch(record, candidate, { ...pass, ready });
    } catch (error) {
      if (!isFailure(error)) throw error;
      return this.#rollBack(record, candidate, { ...pass, error });
    }
    this.#parts.health.track(record, pass.fence);
    if (active) this.#retirements.begin(record, active, pass.provider);
    return {};
  }

  /** What is written when a copy has become ready. */
  readyChange(record: InstanceRecord, ready: ReadyCopy): InstanceChange {
    const { report, endpoint, secretFingerprint } = ready;
    const { handshake, unauthorized } = report;
    const event = handshake ? toolsChanged(this.#parts.context, record, handshake.tools) : undefined;
    const message = unauthorized ? 'The server answers but refuses the credentials.' : '';
    const passed: StatusFact = {
      kind: 'probe-passed',
      endpoint,
      health: unauthorized ? 'unauthorized' : 'healthy',
      message,
    };
    const isRefused = record.runtime.refusedGeneration === record.generation;
    return {
      // What runs again after an update was rolled back is not what is wanted, and the status goes on saying so.
      facts: isRefused ? [passed, this.#rolledBack(record)] : [passed],
      runtime: {
        steadySince: timestamp(this.#parts.context),
        ...(handshake ? { handshake } : {}),
        ...(secretFingerprint === undefined ? {} : { secretFingerprint }),
      },
      fields: { observedGeneration: record.generation },
      events: () => (event ? [event] : []),
    };
  }

  async #switch(
    record: InstanceRecord,
    candidate: Copy,
    pass: Pass & { readonly ready: ReadyCopy },
  ): Promise<InstanceRecord> {
    const change = this.readyChange(record, pass.ready);
    const serving = isServing(record);
    const facts: StatusFact[] = [
      ...(serving || record.status === 'starting' ? [] : [{ kind: 'start-began' as const }]),
      // What an earlier update that was rolled back left to say is over.
      ...(serving && record.statusDetail.reason === 'UPDATE_ROLLED_BACK' ? [nothingToSay] : []),
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
    this.#refusals.delete(record.id);
    return this.#write(record, pass, { ...change, facts, runtime });
  }

  async #rollBack(
    record: InstanceRecord,
    candidate: Copy,
    pass: Pass & { readonly error: MCPInfraError },
  ): Promise<ReconcileResult> {
    if (pass.reconcile.signal.aborted)
      throw mcpError('ABORTED', 'The update was ended.', { cause: pass.reconcile.signal.reason });
    if (!record.runtime.active) {
      const failed = { ...record, runtime: { ...record.runtime, candidate: null } };
      return this.#failures.startFailed(failed, { ...pass, copy: candidate });
    }
    await this.#discard(record, candidate, pass);
    const { secrets } = this.#parts;
    const { code, message: cause, remedy } = secrets.scrubError(record.id, pass.error);
    this.#refusals.set(record.id, `${code}: ${cause} ${remedy}`);
    const stopped = !isServing(record);
    await this.#write(record, pass, {
      facts: stopped ? [{ kind: 'run-wanted' }] : [this.#rolledBack(record)],
      runtime: { candidate: null, refusedGeneration: record.generation },
      fields: stopped ? {} : { observedGeneration: record.generation },
    });
    this.#parts.context.logger.warn('an update was rolled back', { instance: record.name, code, cause });
    return { requeueAfterMs: 0 };
  }

  #rolledBack({ id }: InstanceRecord): StatusFact {
    const why = this.#refusals.get(id) ?? 'the new copy did not become ready.';
    return {
      kind: 'noted',
      reason: 'UPDATE_ROLLED_BACK',
      message: `The update failed and was rolled back: ${why}`,
    };
  }

  async #makeRoom(record: InstanceRecord, active: Copy, pass: Pass): Promise<InstanceRecord> {
    this.#parts.health.untrack(record.id);
    await this.#drain(record, active);
    const { stopGraceMs: graceMs } = lifecycleMs(active.spec);
    await pass.provider.ensureStopped(
      copyRef(record, active),
      { graceMs },
      { signal: pass.reconcile.signal },
    );
    return this.#write(record, pass, { facts: [{ kind: 'run-wanted' }] });
  }

  async #drain(record: InstanceRecord, copy: Copy): Promise<void> {
    const { links, context } = this.#parts;
    const over = new AbortController();
    const { stopGraceMs } = lifecycleMs(copy.spec);
    const timeUp = sleep(context.clock, stopGraceMs, over.signal);
    await Promise.race([timeUp, links.drain(record.id, copy.revision, over.signal)]);
    over.abort();
    await links.drop(record.id, copy.revision);
  }

  async #discard(record: InstanceRecord, copy: Copy, pass: Pass): Promise<void> {
    const { stopGraceMs: graceMs } = lifecycleMs(copy.spec);
    await this.#parts.links.drop(record.id, copy.revision);
    await pass.provider.destroy(copyRef(record, copy), { graceMs }, { signal: pass.reconcile.signal });
  }

  #write(record: InstanceRecord, pass: Pass, change: InstanceChange): Promise<InstanceRecord> {
    return writePass(this.#parts.context, record, { ...change, pass });
  }
}
