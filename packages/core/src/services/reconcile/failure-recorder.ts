import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { ErrorCode } from '../../domain/errors/error-codes.js';
import { backoff, retryDelayMs } from '../../async/retry.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { ExitRecord } from '../../domain/instance/mcp-server-instance.js';
import type { Failure } from '../../domain/instance/status-reducer.js';
import { resolveLifecycle } from '../../domain/json-spec/lifecycle.js';
import { describeExit, exitOf } from './bring-up.js';
import { timestamp } from '../context/event-drafts.js';
import { changeInstance, type InstanceChange } from '../context/instance-writer.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef } from '../ownership/link-registry.js';
import type { ReconcileResult } from '../../async/keyed-work.js';
import { writePass, type Pass } from './pass.js';
import type { WorkerParts } from './worker-parts.js';

// A server that failed to start has nothing to save.
const failedStartGraceMs = 1_000;
const keptLogLines = 20;

/** Writes down what went wrong and decides when it is tried again. */
export class FailureRecorder {
  readonly #parts: WorkerParts;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  /** A start failed: nothing of it is left, and the row says why and when the next try is. */
  async startFailed(
    record: InstanceRecord,
    pass: Pass & { readonly copy: Copy | null; readonly error: MCPInfraError },
  ): Promise<ReconcileResult> {
    const { copy, error, reconcile } = pass;
    if (reconcile.signal.aborted)
      throw mcpError('ABORTED', 'The start was ended.', { cause: reconcile.signal.reason });
    const lines = copy ? await this.#lastLines(record, copy, pass) : [];
    let removed = true;
    if (copy) removed = await this.#remove(record, copy, pass);
    const exit = this.#scrubbed(record, exitOf(this.#parts, error, lines));
    const failures = record.runtime.failures + 1;
    // A start that failed waits before the next try; only a crash of something that ran is restarted at once.
    const failure = this.#failure(record, {
      error,
      delayMs: this.#delay(failures + 1),
      failures,
      spec: copy,
    });
    const written = await this.#write(record, pass, {
      facts: [{ kind: 'start-failed', exit: copy ? exit : undefined, ...failure }],
      runtime: { failures, steadySince: null, ...(removed ? { active: null } : { renew: true }) },
      fields: { observedGeneration: record.generation },
    });
    return untilRetry(written, this.#parts.context.clock.now());
  }

  /** A copy ended between its start and its first answer. */
  async exitedAtStart(
    record: InstanceRecord,
    pass: Pass & { readonly copy: Copy; readonly exit: ExitRecord },
  ): Promise<ReconcileResult> {
    const { exit } = pass;
    const code = exit.code ?? 'EXITED_AT_START';
    const error = mcpError(code, describeExit(exit, 'before it answered'), { details: { exit } });
    return this.startFailed(record, { ...pass, error });
  }

  /** A running copy ended: at once again the first time, then with growing waits. The copy and its logs stay. */
  async crashed(record: InstanceRecord, pass: Pass & { readonly exit: ExitRecord }): Promise<InstanceRecord> {
    const exit = this.#scrubbed(record, pass.exit);
    const error = mcpError(exit.code ?? 'EXITED', describeExit(exit, 'while it ran'));
    return this.#ended(record, { ...pass, exit, error });
  }

  /** An unhealthy copy is ended, to be started again; not while a call on it still gets bytes. */
  async restartUnhealthy(
    record: InstanceRecord,
    pass: Pass & { readonly active: Copy },
  ): Promise<{ readonly kind: 'busy' } | { readonly kind: 'ended'; readonly record: InstanceRecord }> {
    const { context, links, health } = this.#parts;
    const link = links.get(record.id, pass.active.revision);
    const silentMs = link ? context.clock.monotonicMs() - link.lastByteMs : Infinity;
    if (link && link.callsInFlight > 0 && silentMs < context.settings.busyTimeoutMs) return { kind: 'busy' };
    health.untrack(record.id);
    const lastLogLines = await this.#lastLines(record, pass.active, pass);
    await links.drop(record.id, pass.active.revision);
    const { stopGraceMs: graceMs } = lifecycleMs(pass.active.spec);
    await pass.provider.ensureStopped(
      copyRef(record, pass.active),
      { graceMs },
      { signal: pass.reconcile.signal },
    );
    const { reason, message } = record.statusDetail;
    const error = mcpError('UNHEALTHY', `The health check failed repeatedly (${reason}): ${message}`);
    const exit = exitOf(this.#parts, error, lastLogLines);
    return { kind: 'ended', record: await this.#ended(record, { ...pass, exit, error }) };
  }

  /** Something outside the copy does not work: the row says so, the queue tries again. */
  async stuck(id: string, error: MCPInfraError, pass: Pass): Promise<void> {
    const { condition, context } = this.#parts;
    const away =
      error.code === 'PLACEMENT_UNREACHABLE' ||
      error.code === 'PLUGIN_TIMEOUT' ||
      error.code === 'PROVIDER_FAILED';
    if (away) condition.evidence(`provider:${pass.provider.type}`);
    const message = this.#parts.secrets.scrub(id, error.message);
    await changeInstance(context, id, {
      origin: { fence: pass.fence },
      decide: (record) => {
        return away && isServing(record)
          ? { facts: [{ kind: 'placement-lost', message }] }
          : { facts: [{ kind: 'noted', reason: error.code, message }] };
      },
    }).catch((cause: unknown) => {
      context.logger.debug('a failure could not be written', { instance: id, cause });
    });
  }

  async #ended(
    record: InstanceRecord,
    pass: Pass & { readonly exit: ExitRecord; readonly error: MCPInfraError },
  ): Promise<InstanceRecord> {
    const { clock } = this.#parts.context;
    const { steadySince, failures: before, active } = record.runtime;
    const steady = steadySince !== null && clock.now() - Date.parse(steadySince) >= backoff.steadyMs;
    // What ended with its engine did nothing wrong: it is started again at once, however often engines restart.
    const withEngine = pass.exit.code === 'ENGINE_RESTARTED';
    const counted = steady ? 0 : before;
    const failures = withEngine ? counted : counted + 1;
    const failure = this.#failure(record, {
      error: pass.error,
      delayMs: withEngine ? 0 : this.#delay(failures),
      failures,
      spec: active,
    });
    return this.#write(record, pass, {
      facts: [
        ...(steady ? [{ kind: 'steady' as const }] : []),
        { kind: 'exited', exit: pass.exit, ...failure },
      ],
      runtime: { failures, steadySince: null },
    });
  }

  #failure(
    record: InstanceRecord,
    about: {
      readonly error: MCPInfraError;
      readonly delayMs: number;
      readonly failures: number;
      readonly spec: Copy | null;
    },
  ): Failure {
    const { error, delayMs, failures } = about;
    const message = this.#parts.secrets.scrub(record.id, error.message);
    const most = resolveLifecycle(about.spec?.spec ?? record.jsonSpec).maxRestarts;
    if (most !== null && failures > most) {
      const told = `${message} It failed ${String(failures)} times in a row, more than lifecycle.max_restarts (${String(most)}).`;
      return { reason: 'RESTARTS_EXHAUSTED', message: told, nextRetryAt: null };
    }
    const reason: ErrorCode = error.code;
    const nextRetryAt = error.retryable ? timestamp(this.#parts.context, delayMs) : null;
    return { reason, message: `${message} ${error.remedy}`, nextRetryAt };
  }

  #delay(failures: number): number {
    return retryDelayMs(failures, this.#parts.context.random());
  }

  async #remove(record: InstanceRecord, copy: Copy, pass: Pass): Promise<boolean> {
    const { links, context } = this.#parts;
    await links.drop(record.id, copy.revision);
    try {
      await pass.provider.destroy(
        copyRef(record, copy),
        { graceMs: failedStartGraceMs },
        { signal: pass.reconcile.signal },
      );
      return true;
    } catch (error) {
      // Kept in the row: the next try destroys it first.
      context.logger.warn('a failed copy could not be removed yet', {
        instance: record.name,
        error: this.#parts.secrets.scrubError(record.id, error),
      });
      return false;
    }
  }

  async #lastLines(record: InstanceRecord, copy: Copy, pass: Pass): Promise<readonly string[]> {
    const lines: string[] = [];
    try {
      const logs = pass.provider.logs?.(
        copyRef(record, copy),
        { tail: keptLogLines },
        { signal: pass.reconcile.signal },
      );
      if (logs) for await (const line of logs) lines.push(line.text);
    } catch (error) {
      this.#parts.context.logger.debug('the last log lines could not be read', {
        instance: record.name,
        error: this.#parts.secrets.scrubError(record.id, error),
      });
    }
    return lines.slice(-keptLogLines);
  }

  #scrubbed(record: InstanceRecord, exit: ExitRecord): ExitRecord {
    const { secrets } = this.#parts;
    return {
      ...exit,
      lastLogLines: exit.lastLogLines.slice(-keptLogLines).map((line) => secrets.scrub(record.id, line)),
    };
  }

  #write(record: InstanceRecord, pass: Pass, change: InstanceChange): Promise<InstanceRecord> {
    return writePass(this.#parts.context, record, { ...change, pass });
  }
}

/** When a failed instance is to be looked at again. */
function untilRetry(record: InstanceRecord, nowMs: number): ReconcileResult {
  const { nextRetryAt } = record.statusDetail;
  return nextRetryAt === null ? {} : { requeueAfterMs: Math.max(0, Date.parse(nextRetryAt) - nowMs) };
}
