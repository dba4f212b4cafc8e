import type { ErrorCode } from '../../domain/errors/error-codes.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { reduceStatus, type StatusFact } from '../../domain/instance/status-reducer.js';
import { resolveHealthCheck } from '../../domain/json-spec/health-check.js';
import { backoff } from '../../async/retry.js';
import { passedMessage } from './passed-message.js';

/** What the last probe of a copy saw. */
export type Seen = { /** When it began, in milliseconds since the epoch. */ readonly at: number } & (
  | { readonly kind: 'passed'; readonly health: 'healthy' | 'unauthorized' }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      /** How many failed in a row, this one included. */
      readonly failures: number;
    }
  /** The server was not asked, for what leads to it did not answer. */
  | { readonly kind: 'unreachable'; readonly code: ErrorCode; readonly message: string }
);

/** Gives what a row does not yet say of what was seen; nothing where it says it all. Pure. */
export function factsOf(record: InstanceRecord, seen: Seen, nowMs: number): readonly StatusFact[] {
  const { health } = record.statusDetail;
  // Written after the probe began: what it saw is older than that nothing is known.
  if (health.state === 'unknown' && Date.parse(health.since) > seen.at) return [];
  const steady: StatusFact[] =
    seen.kind === 'passed' && hasBecomeSteady(record, nowMs) ? [{ kind: 'steady' }] : [];
  const fact = factOf(record, seen, nowMs);
  const isNews = fact !== null && reduceStatus(record, fact, new Date(nowMs).toISOString()) !== record;
  return isNews ? [...steady, fact] : steady;
}

function factOf(record: InstanceRecord, seen: Seen, nowMs: number): StatusFact | null {
  const { health, endpoint } = record.statusDetail;
  switch (seen.kind) {
    case 'passed': {
      const message = passedMessage(seen.health, record.runtime.handshake);
      const isKnown = health.state === seen.health && health.message === message;
      if (record.status === 'running' && isKnown) return { kind: 'probe-recovered' };
      if (endpoint === null) return null;
      return { kind: 'probe-passed', endpoint, health: seen.health, message };
    }
    case 'failed': {
      const { code: reason, message } = seen;
      return { kind: 'probe-failed', reason, message, fatal: isFatal(record, seen, nowMs) };
    }
    case 'unreachable': {
      if (health.state === 'unknown') return null;
      const reason = seen.code === 'SECRET_BACKEND_FAILED' ? seen.code : 'PLACEMENT_UNREACHABLE';
      return { kind: 'placement-lost', reason, message: seen.message };
    }
  }
}

/** Whether a row says that its server does not answer. */
export function saysUnhealthy({ status, statusDetail }: InstanceRecord): boolean {
  return status === 'unhealthy' && statusDetail.health.state === 'unhealthy';
}

/** Whether a server has run so long that earlier failures no longer count. */
export function hasBecomeSteady(
  { runtime: { steadySince, failures } }: InstanceRecord,
  nowMs: number,
): boolean {
  if (steadySince === null || failures === 0) return false;
  return nowMs - Date.parse(steadySince) >= backoff.steadyMs;
}

function isFatal(
  record: InstanceRecord,
  { failures }: { readonly failures: number },
  nowMs: number,
): boolean {
  const { runtime, statusDetail } = record;
  if (saysUnhealthy(record)) return true;
  if (!runtime.active) return false;
  const { startPeriod, retries } = resolveHealthCheck(runtime.active.spec);
  const startedMs = Date.parse(runtime.steadySince ?? statusDetail.since);
  return nowMs - startedMs >= startPeriod * 1_000 && failures >= retries;
}
