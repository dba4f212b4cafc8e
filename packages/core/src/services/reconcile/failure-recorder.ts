import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { ErrorCode } from '../../domain/errors/error-codes.js';
import { backoff, retryDelayMs } from '../../async/retry.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { ExitRecord } from '../../domain/instance/mcp-server-instance.js';
import type { Failure } from '../../domain/instance/status-reducer.js';
import { resolveLifecycle } from '../../domain/json-spec/lifecycle.js';
import { timestamp } from '../context/event-drafts.js';
import { changeInstance, type InstanceChange } from '../context/instance-writer.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef } from '../ownership/link-registry.js';
import type { ReconcileResult } from '../../async/keyed-work.js';
import { writeUnderLease, type LeasedPass } from './leased-pass.js';
import { awayRetryMs, isBackendAway } from './backend-away.js';
import type { ReconcileServices } from './reconcile-services.js';
import { describeExit, exitIn } from './told-exit.js';

// A server that failed to start has nothing to save.
const failedStartGraceMs = 1_000;
/** How long a server that hangs is given to end by itself, in milliseconds. */
const hungGraceMs = 1_000;
const keptLogLines = 20;

/** Writes down what went wrong and decides when it is tried again. */
export class FailureRecorder {
  readonly #services: ReconcileServices;

  constructor(services: ReconcileServices) {
    this.#services = services;
  }

  /** A start failed: nothing of it is left, and the row says why and when the next try is. */
  async startFailed(
    record: InstanceRecord,
    pass: LeasedPass & { readonly copy: Copy | null; readonly error: MCPInfraError },
  ): Promise<ReconcileResult> {
    const { copy, error, reconcile } = pass;
    if (reconcile.signal.aborted)
      throw mcpError('ABORTED', 'The start was ended.', { cause: reconcile.signal.reason });
    // A backend that is away would take its time for each further question, and the copy did nothing wrong.
    const away = isBackendAway(error);
    // Before the copy is removed, and its lines with it.
    const exit = copy && !away ? await this.exitOf(record, copy, pass) : undefined;
    let removed = true;
    if (copy) removed = !away && (await this.#remove(record, copy, pass));
    const failures = record.runtime.failures + (away ? 0 : 1);
    // A start that failed waits before the next try; only a crash of something that ran is restarted at once.
    const delayMs = away ? awayRetryMs : this.retryDelayMs(failures + 1);
    const failure = this.#failure(record, { error, delayMs, failures, spec: copy });
    const written = await this.#write(record, pass, {
      facts: [{ kind: 'start-failed', exit, ...failure }],
      runtime: { failures, steadySince: null, ...(removed ? { active: null } : { renew: true }) },
      fields: { observedGeneration: record.generation },
    });
    return untilRetry(written, this.#services.context.clock.now());
  }

  /** A copy ended between its start and its first answer. */
  async exitedAtStart(
    record: InstanceRecord,
    pass: LeasedPass & { readonly copy: Copy; readonly exit: ExitRecord },
  ): Promise<ReconcileResult> {
    const { exit } = pass;
    const code = exit.code ?? 'EXITED_AT_START';
    const error = mcpError(code, describeExit(exit, 'before it answered'), { details: { exit } });
    return this.startFailed(record, { ...pass, error });
  }

  /** A running copy ended: at once again the first time, then with growing waits. The copy and its logs stay. */
  async crashed(
    record: InstanceRecord,
    pass: LeasedPass & { readonly exit: ExitRecord },
  ): Promise<InstanceRecord> {
    const { active } = record.runtime;
    if (active) await this.#services.secrets.know(record, active, { signal: pass.reconcile.signal });
    const exit = this.#scrubbed(record, pass.exit);
    const error = mcpError(exit.code ?? 'EXITED', describeExit(exit, 'while it ran'));
    return this.#ended(record, { ...pass, exit, error });
  }

  /** An unhealthy copy is ended, to be started again; not while a call on it still gets bytes. */
  async restartUnhealthy(
    record: InstanceRecord,
    pass: LeasedPass & { readonly active: Copy },
  ): Promise<{ readonly kind: 'busy' } | { readonly kind: 'ended'; readonly record: InstanceRecord }> {
    const { context, links, health } = this.#services;
    const link = links.get(record.id, pass.active.revision);
    const silentMs = link ? context.clock.monotonicMs() - link.lastByteMs : Infinity;
    const { busyTimeoutMs, stopGraceMs } = lifecycleMs(pass.active.spec);
    if (link && link.callsInFlight > 0 && silentMs < busyTimeoutMs) return { kind: 'busy' };
    health.untrack(record.id);
    const { reason, message } = record.statusDetail;
    const error = mcpError('UNHEALTHY', `The health check failed repeatedly (${reason}): ${message}`);
    const exit = await this.exitOf(record, pass.active, { ...pass, error });
    const dropped = links.drop(record.id, pass.active.revision);
    // What hangs hears no goodbye, neither from its clients nor from its provider.
    const hangs = reason === 'REQUEST_TIMEOUT';
    if (!hangs) await dropped;
    const graceMs = hangs ? Math.min(stopGraceMs, hungGraceMs) : stopGraceMs;
    await pass.provider.ensureStopped(
      copyRef(record, pass.active),
      { graceMs },
      { signal: pass.reconcile.signal },
    );
    return { kind: 'ended', record: await this.#ended(record, { ...pass, exit, error }) };
  }

  /** Something outside the copy does not work: the row says so, the queue tries again. */
  async stuck(id: string, error: MCPInfraError, pass: LeasedPass): Promise<void> {
    const { condition, context } = this.#services;
    const away = isBackendAway(error) || error.code === 'PROVIDER_FAILED';
    if (away) condition.evidence(`provider:${pass.provider.type}`);
    const message = this.#services.secrets.scrub(id, error.message);
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
    pass: LeasedPass & { readonly exit: ExitRecord; readonly error: MCPInfraError },
  ): Promise<InstanceRecord> {
    const { clock } = this.#services.context;
    const { steadySince, failures: before, active } = record.runtime;
    const steady = steadySince !== null && clock.now() - Date.parse(steadySince) >= backoff.steadyMs;
    // What ended with its engine did nothing wrong: it is started again at once, however often engines restart.
    const withEngine = pass.exit.code === 'ENGINE_RESTARTED';
    const counted = steady ? 0 : before;
    const failures = withEngine ? counted : counted + 1;
    const failure = this.#failure(record, {
      error: pass.error,
      delayMs: withEngine ? 0 : this.retryDelayMs(failures),
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
    const message = this.#services.secrets.scrub(record.id, error.message);
    const most = resolveLifecycle(about.spec?.spec ?? record.jsonSpec).maxRestarts;
    if (most !== null && failures > most) {
      const told = `${message} It failed ${String(failures)} times in a row, more than lifecycle.max_restarts (${String(most)}).`;
      return { reason: 'RESTARTS_EXHAUSTED', message: told, nextRetryAt: null };
    }
    const reason: ErrorCode = error.code;
    const nextRetryAt = error.retryable ? timestamp(this.#services.context, delayMs) : null;
    return { reason, message: `${message} ${error.remedy}`, nextRetryAt };
  }

  /** How long to wait after so many failures in a row. */
  retryDelayMs(failures: number): number {
    return retryDelayMs(failures, this.#services.context.random());
  }

  /** How a copy that failed ended: as the error tells it, or with the last lines it wrote. */
  async exitOf(
    record: InstanceRecord,
    copy: Copy,
    pass: LeasedPass & { readonly error: MCPInfraError },
  ): Promise<ExitRecord> {
    const { code } = pass.error;
    const at = timestamp(this.#services.context);
    const unknown: ExitRecord = {
      at,
      exitCode: null,
      signal: null,
      oomKilled: false,
      lastLogLines: [],
      code,
    };
    const known = exitIn(pass.error) ?? unknown;
    await this.#services.secrets.know(record, copy, { signal: pass.reconcile.signal });
    const lastLogLines =
      known.lastLogLines.length > 0 ? known.lastLogLines : await this.#lastLines(record, copy, pass);
    return this.#scrubbed(record, { ...known, lastLogLines });
  }

  async #remove(record: InstanceRecord, copy: Copy, pass: LeasedPass): Promise<boolean> {
    const { links, context } = this.#services;
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
        error: this.#services.secrets.scrubError(record.id, error),
      });
      return false;
    }
  }

  async #lastLines(record: InstanceRecord, copy: Copy, pass: LeasedPass): Promise<readonly string[]> {
    const lines: string[] = [];
    try {
      const logs = pass.provider.logs?.(
        copyRef(record, copy),
        { tail: keptLogLines },
        { signal: pass.reconcile.signal },
      );
      if (logs) for await (const line of logs) lines.push(line.text);
    } catch (error) {
      this.#services.context.logger.debug('the last log lines could not be read', {
        instance: record.name,
        error: this.#services.secrets.scrubError(record.id, error),
      });
    }
    return lines.slice(-keptLogLines);
  }

  #scrubbed(record: InstanceRecord, exit: ExitRecord): ExitRecord {
    const { secrets } = this.#services;
    return {
      ...exit,
      lastLogLines: exit.lastLogLines.slice(-keptLogLines).map((line) => secrets.scrub(record.id, line)),
    };
  }

  #write(record: InstanceRecord, pass: LeasedPass, change: InstanceChange): Promise<InstanceRecord> {
    return writeUnderLease(this.#services.context, record, { ...change, pass });
  }
}

/** When a failed instance is to be looked at again. */
function untilRetry(record: InstanceRecord, nowMs: number): ReconcileResult {
  const { nextRetryAt } = record.statusDetail;
  return nextRetryAt === null ? {} : { requeueAfterMs: Math.max(0, Date.parse(nextRetryAt) - nowMs) };
}
