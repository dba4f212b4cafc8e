import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, HandshakeRecord, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { Endpoint, ExitRecord } from '../../domain/instance/mcp-server-instance.js';
import type { ProbeReport } from '../../ports/mcp-link.js';
import type { Observation, RunRequest } from '../../ports/provider.js';
import { timestamp } from '../context/event-drafts.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef, isStdio, probeOf } from '../ownership/link-registry.js';
import type { LeasedPass } from './leased-pass.js';
import { ProgressReport } from './progress-report.js';
import type { ReconcileContext } from '../../async/keyed-work.js';
import { sleep } from '../../async/sleep.js';
import type { ReconcileServices } from './reconcile-services.js';

/** A copy that runs and has answered. */
export interface ReadyCopy {
  readonly endpoint: Endpoint;
  readonly report: Extract<ProbeReport, { ok: true }>;
  /** Of the secrets it was given; `undefined` where that is not known. */
  readonly secretFingerprint: string | undefined;
}

/** Told of the steps that show in the status. */
export interface BringUpSteps {
  pulling(): Promise<void>;
  starting(): Promise<void>;
}

const shortestPauseMs = 10;
const longestPauseMs = 500;
const lookEveryMs = 250;

/** Makes one copy run and waits until it answers. Knows nothing of status. */
export class BringUp {
  readonly #parts: ReconcileServices;
  /** When the wait for a copy began; an interrupted pass goes on with the same wait. */
  readonly #since = new Map<string, number>();

  constructor(parts: ReconcileServices) {
    this.#parts = parts;
  }

  /**
   * Brings a copy up.
   *
   * @throws the code of why it does not run or answer; the copy may then still exist
   */
  async run(
    record: InstanceRecord,
    copy: Copy,
    pass: LeasedPass & { readonly steps: BringUpSteps },
  ): Promise<ReadyCopy> {
    const key = `${record.id}/${String(copy.revision)}`;
    try {
      const seen = await this.#start(record, copy, pass);
      if (seen.state !== 'running') throw exitedAtStart(seen);
      if (!this.#since.has(key)) this.#since.set(key, this.#parts.context.clock.monotonicMs());
      const report = await this.#ready(record, copy, { ...pass, since: this.#since.get(key) ?? 0 });
      this.#since.delete(key);
      const secretFingerprint = await this.#parts.secrets.givenTo(record.id, copy.revision);
      return { endpoint: seen.endpoint, report, secretFingerprint };
    } catch (error) {
      if (isFailure(error)) this.#since.delete(key);
      throw error;
    }
  }

  async #start(
    record: InstanceRecord,
    copy: Copy,
    pass: LeasedPass & { readonly steps: BringUpSteps },
  ): Promise<Observation> {
    const { provider, reconcile, steps } = pass;
    const { startSlots, pullSlots } = this.#parts;
    const options = { signal: reconcile.signal };
    const progress = new ProgressReport(this.#parts.context, record, pass.fence);
    const request = this.#request(record, copy, progress);
    if (provider.prepare) {
      const prepared = pullSlots.run(async () => provider.prepare?.(request, options), reconcile.signal);
      if (
        (await Promise.race([prepared.then(() => 'done'), progress.began.then(() => 'began')])) === 'began'
      ) {
        await Promise.all([steps.pulling(), prepared]);
      }
    }
    await steps.starting();
    return startSlots.run(() => provider.ensureRunning(request, options), reconcile.signal);
  }

  /** Probes until the server answers, its time is up, or it ends. */
  async #ready(
    record: InstanceRecord,
    copy: Copy,
    pass: LeasedPass & { readonly since: number },
  ): Promise<Extract<ProbeReport, { ok: true }>> {
    const { context, links, ownership } = this.#parts;
    const { startupTimeoutMs } = lifecycleMs(copy.spec);
    // What lives nowhere is not starting up: its first answer is its answer.
    const livesNowhere = ownership.placement(copy.spec.type) === '*';
    const { check, timeoutMs } = probeOf(copy.spec);
    let lookedMs = context.clock.monotonicMs();
    for (;;) {
      const remainingMs = Math.max(0, startupTimeoutMs - (context.clock.monotonicMs() - pass.since));
      // One answer over stdio is as good as another; over HTTP a request that hangs is better asked again.
      const deadlineMs = Math.max(1, isStdio(copy.spec) ? remainingMs : Math.min(timeoutMs, remainingMs));
      const report = await pass.reconcile.waiting((signal) =>
        links.of(record, copy).probe({ check, timeoutMs: deadlineMs, listTools: true }, { signal }),
      );
      if (report.ok) {
        const handshake = report.handshake ?? (await this.#greet(record, copy, pass));
        return { ...report, handshake: this.#parts.secrets.scrubDocument(record.id, handshake) };
      }
      // Nobody listens there yet: it is knocked at more often than the provider is asked whether it still runs.
      if (report.code !== 'CONNECTION_REFUSED' || context.clock.monotonicMs() - lookedMs >= lookEveryMs) {
        const seen = await pass.provider.observe(copyRef(record, copy), { signal: pass.reconcile.signal });
        if (seen.state !== 'running') throw exitedAtStart(seen);
        lookedMs = context.clock.monotonicMs();
      }
      if (livesNowhere || report.code === 'ERA_MISMATCH') throw mcpError(report.code, report.message);
      const waitedMs = context.clock.monotonicMs() - pass.since;
      // A tenth of the wait so far: what starts fast is noticed at once, what starts slowly is not asked all the time.
      const pauseMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, waitedMs / 10));
      if (startupTimeoutMs - waitedMs <= pauseMs) {
        const message = `The server did not become ready within ${String(startupTimeoutMs / 1_000)} s. Last: ${report.code}: ${report.message}`;
        throw mcpError('STARTUP_TIMEOUT', message);
      }
      await pass.reconcile.waiting((signal) => sleep(context.clock, pauseMs, signal));
    }
  }

  /** A check by path or port learns nothing of the server: it is greeted once, so that its tools are known. */
  async #greet(
    record: InstanceRecord,
    copy: Copy,
    { reconcile }: { readonly reconcile: ReconcileContext },
  ): Promise<HandshakeRecord | null> {
    const { check, timeoutMs } = probeOf(copy.spec);
    if (check.type !== 'http' && check.type !== 'tcp') return null;
    const request = { check: { type: 'mcp' }, timeoutMs, listTools: true } as const;
    const report = await reconcile.waiting((signal) =>
      this.#parts.links.of(record, copy).probe(request, { signal }),
    );
    return report.ok ? report.handshake : null;
  }

  #request(record: InstanceRecord, copy: Copy, progress: ProgressReport): RunRequest {
    const { secrets } = this.#parts;
    const { spec } = copy;
    return {
      copy: copyRef(record, copy),
      spec,
      instanceName: record.name,
      labels: record.labels,
      secrets: () => secrets.resolve(record, copy),
      environment: async () => {
        const bundle = await secrets.resolve(record, copy);
        const own = Object.entries(spec.environment ?? {}).map(
          ([name, text]) => [name, bundle.render(text)] as const,
        );
        return {
          ...Object.fromEntries(own),
          MCP_INSTANCE_ID: record.id,
          MCP_SERVICE_NAME: record.name,
          ...(typeof spec.port === 'number' ? { MCP_CONTAINER_PORT: String(spec.port) } : {}),
        };
      },
      onProgress: (step) => {
        progress.report(step);
      },
    };
  }
}

/** Whether an error says that a copy failed, not only that the pass was ended. */
export function isFailure(error: unknown): error is MCPInfraError {
  return (
    MCPInfraError.isInstance(error) &&
    !['ABORTED', 'CONFLICT', 'LEASE_LOST', 'STORE_FAILED'].includes(error.code)
  );
}

/** How an exit before the first answer is told. */
function exitedAtStart(seen: Exclude<Observation, { state: 'running' }>): MCPInfraError {
  if (seen.state === 'absent')
    return mcpError('EXITED_AT_START', 'The copy was gone before the server answered.');
  const { exit } = seen;
  return mcpError(exit.code ?? 'EXITED_AT_START', describeExit(exit, 'before it answered'), {
    details: { exit },
  });
}

/** Tells an exit as a sentence. */
export function describeExit(exit: ExitRecord, when: string): string {
  const how =
    exit.signal !== null
      ? `was ended by ${exit.signal}`
      : `exited with code ${exit.exitCode === null ? 'unknown' : String(exit.exitCode)}`;
  const memory = exit.oomKilled ? ' (out of memory)' : '';
  const said = exit.lastLogLines.at(-1);
  return `The server ${how}${memory} ${when}.${said === undefined ? '' : ` It last wrote: "${said.slice(0, 300)}".`}`;
}

/** The exit an error carries, or one made of what is known. */
export function exitOf(
  parts: ReconcileServices,
  error: MCPInfraError,
  lastLogLines: readonly string[],
): ExitRecord {
  const known = error.details['exit'] as ExitRecord | undefined;
  if (known) return known;
  const at = timestamp(parts.context);
  return { at, exitCode: null, signal: null, oomKilled: false, lastLogLines, code: error.code };
}
