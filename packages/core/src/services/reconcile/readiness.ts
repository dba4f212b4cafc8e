import { inSeconds } from '../../domain/in-seconds.js';
import type { ErrorCode } from '../../domain/errors/error-codes.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, HandshakeRecord, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { ReconcileContext } from '../../async/keyed-work.js';
import { sleep } from '../../async/sleep.js';
import type { ProbeReport } from '../../ports/mcp-link.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { copyRef, isStdio, probeOf } from '../ownership/link-registry.js';
import type { LeasedPass } from './leased-pass.js';
import type { ReconcileServices } from './reconcile-services.js';
import { exitedAtStart } from './told-exit.js';

/** What a copy answered when it was asked whether it is ready. */
export type ReadyReport = Extract<ProbeReport, { ok: true }>;

const shortestPauseMs = 10;
const longestPauseMs = 500;
const lookEveryMs = 250;

/** What every server does that is still starting up. */
const usualAtStart: ReadonlySet<ErrorCode> = new Set([
  'CONNECTION_REFUSED',
  'CONNECTION_CLOSED',
  'REQUEST_TIMEOUT',
]);

/**
 * Probes a copy until its server answers.
 *
 * @throws the code of why it does not: it ended, it is of another era, or its time is up
 */
export async function untilReady(
  services: ReconcileServices,
  copy: { readonly record: InstanceRecord; readonly copy: Copy },
  pass: LeasedPass & {
    /** Since when it is waited for, on the monotonic clock. */
    readonly since: number;
    /** Told what the server refuses, each time that is something else. */
    readonly refused: (code: ErrorCode, message: string) => Promise<void>;
  },
): Promise<ReadyReport> {
  const { context, links, ownership, secrets } = services;
  const { record } = copy;
  const { spec } = copy.copy;
  const { startupTimeoutMs } = lifecycleMs(spec);
  // What lives nowhere is not starting up: its first answer is its answer.
  const livesNowhere = ownership.placement(spec.type) === '*';
  const { check, timeoutMs } = probeOf(spec);
  let lookedMs = context.clock.monotonicMs();
  for (;;) {
    const remainingMs = Math.max(0, startupTimeoutMs - (context.clock.monotonicMs() - pass.since));
    // One answer over stdio is as good as another; over HTTP a request that hangs is better asked again.
    const deadlineMs = Math.max(1, isStdio(spec) ? remainingMs : Math.min(timeoutMs, remainingMs));
    const report = await pass.reconcile.waiting((signal) =>
      links.of(record, copy.copy).probe({ check, timeoutMs: deadlineMs, listTools: true }, { signal }),
    );
    if (report.ok) {
      const handshake = report.handshake ?? (await greet(services, copy, pass.reconcile));
      return { ...report, handshake: secrets.scrubDocument(record.id, handshake) };
    }
    // Nobody listens there yet: it is knocked at more often than the provider is asked whether it still runs.
    if (report.code !== 'CONNECTION_REFUSED' || context.clock.monotonicMs() - lookedMs >= lookEveryMs) {
      const seen = await pass.provider.observe(copyRef(record, copy.copy), { signal: pass.reconcile.signal });
      if (seen.state !== 'running') throw exitedAtStart(seen);
      lookedMs = context.clock.monotonicMs();
    }
    if (livesNowhere || report.code === 'ERA_MISMATCH') throw mcpError(report.code, report.message);
    const waitedMs = context.clock.monotonicMs() - pass.since;
    // A tenth of the wait so far: what starts fast is noticed at once, what starts slowly is not asked all the time.
    const pauseMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, waitedMs / 10));
    if (startupTimeoutMs - waitedMs <= pauseMs) {
      const message = `The server did not become ready within ${inSeconds(startupTimeoutMs)}. Last: ${report.code}: ${report.message}`;
      throw mcpError('STARTUP_TIMEOUT', message);
    }
    if (!usualAtStart.has(report.code))
      await pass.refused(report.code, secrets.scrub(record.id, report.message));
    await pass.reconcile.waiting((signal) => sleep(context.clock, pauseMs, signal));
  }
}

/** A check by path or port learns nothing of the server: it is greeted once, so that its tools are known. */
async function greet(
  { links }: ReconcileServices,
  { record, copy }: { readonly record: InstanceRecord; readonly copy: Copy },
  reconcile: ReconcileContext,
): Promise<HandshakeRecord | null> {
  const { check, timeoutMs } = probeOf(copy.spec);
  if (check.type !== 'http' && check.type !== 'tcp') return null;
  const request = { check: { type: 'mcp' }, timeoutMs, listTools: true } as const;
  const report = await reconcile.waiting((signal) => links.of(record, copy).probe(request, { signal }));
  return report.ok ? report.handshake : null;
}
