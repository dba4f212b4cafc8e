import type { ErrorCode } from '../errors/error-codes.js';
import type { Timestamp } from '../server/mcp-server.js';
import { shownText } from '../shown-text.js';
import type {
  Endpoint,
  ExitRecord,
  FailedProbe,
  HealthState,
  InstanceStatus,
  StatusDetail,
  UpdateFailure,
} from './mcp-server-instance.js';

/** Of a message or a log line more is not kept, in characters. */
const longestMessage = 4_000;

/** The part of an instance that the reducer owns. */
export interface InstancePhase {
  readonly status: InstanceStatus;
  readonly statusDetail: StatusDetail;
}

/** What happened, as seen by the controller or wanted by a command. */
export type StatusFact =
  /** A run is wanted: of a stopped, idle or failed instance, or again after an exit. */
  | { readonly kind: 'run-wanted' }
  /** What failed is tried again; why it failed stays told until it is ready. */
  | { readonly kind: 'retry-began' }
  | { readonly kind: 'pull-began' }
  | { readonly kind: 'start-began' }
  | {
      readonly kind: 'probe-passed';
      readonly endpoint: Endpoint;
      readonly health: HealthState;
      readonly message: string;
    }
  | {
      readonly kind: 'probe-failed';
      readonly reason: ErrorCode;
      readonly message: string;
      /** Whether so many failed in a row that it is `unhealthy`. */
      readonly fatal: boolean;
    }
  /** A probe passed before so many had failed that it mattered. */
  | { readonly kind: 'probe-recovered' }
  /** A start did not lead to a running server. */
  | ({ readonly kind: 'start-failed'; readonly exit?: ExitRecord | undefined } & Failure)
  /** A running copy ended by itself. */
  | ({ readonly kind: 'exited'; readonly exit: ExitRecord } & Failure)
  /** Something is said that does not change the status: what a start waits for, a stop that does not get on. */
  | { readonly kind: 'noted'; readonly reason: ErrorCode; readonly message: string }
  /** The new copy of an update did not become ready; it is tried again, or given up. */
  | { readonly kind: 'update-failed'; readonly update: UpdateFailure }
  /** What was wanted has come true, or something else is wanted now. */
  | { readonly kind: 'update-over' }
  /** What leads to the server cannot be asked, so that nothing is known of it. */
  | {
      readonly kind: 'placement-lost';
      /** @defaultValue PLACEMENT_UNREACHABLE */
      readonly reason?: ErrorCode | undefined;
      readonly message: string;
    }
  /** It ran so long that earlier crashes no longer count. */
  | { readonly kind: 'steady' }
  | { readonly kind: 'stop-wanted' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'slept' }
  | { readonly kind: 'delete-wanted' };

/** Why something failed and when it is tried again. */
export interface Failure {
  readonly reason: ErrorCode;
  readonly message: string;
  /** `null` where it is not tried again by itself. */
  readonly nextRetryAt: Timestamp | null;
}

/** Where each status may lead. `deleting` leads nowhere: the next thing is that the row is gone. @internal */
export const allowedTransitions: Readonly<Record<InstanceStatus, readonly InstanceStatus[]>> = {
  pending: ['pulling', 'starting', 'failed', 'stopping', 'stopped', 'idle', 'deleting'],
  pulling: ['starting', 'pending', 'failed', 'stopping', 'deleting'],
  starting: ['running', 'pulling', 'pending', 'failed', 'stopping', 'deleting'],
  running: ['unhealthy', 'pending', 'failed', 'starting', 'stopping', 'deleting'],
  unhealthy: ['running', 'pending', 'failed', 'starting', 'stopping', 'deleting'],
  stopping: ['stopped', 'idle', 'pending', 'failed', 'deleting'],
  stopped: ['pending', 'deleting'],
  idle: ['pending', 'stopping', 'stopped', 'deleting'],
  failed: ['pending', 'stopping', 'stopped', 'idle', 'deleting'],
  deleting: [],
};

/** What is waited for, and is over as soon as anything begins. */
const waits: ReadonlySet<string> = new Set<ErrorCode>(['WAITING_FOR_SLOT', 'PLACEMENT_UNREACHABLE']);

/** What a copy that was ended on purpose leaves behind; its next one is made of what is wanted then. */
const atRest = { restartCount: 0, endpoint: null, update: undefined } as const;

/**
 * Gives the phase that follows from a fact.
 *
 * Pure and total: a fact that does not fit the status leaves the phase as it is (the same object), so late and
 * repeated observations are harmless.
 */
export function reduceStatus(phase: InstancePhase, said: StatusFact, now: Timestamp): InstancePhase {
  const fact = shownFact(said);
  const { status, statusDetail } = phase;
  const to = (next: InstanceStatus, change: Partial<StatusDetail> = {}): InstancePhase => {
    if (next !== status && !allowedTransitions[status].includes(next)) return phase;
    const since = next === status ? statusDetail.since : now;
    return { status: next, statusDetail: explained(next, { ...statusDetail, ...change, since }) };
  };
  const clear = { reason: '', message: '', nextRetryAt: null } as const;
  const over = waits.has(statusDetail.reason) ? clear : { nextRetryAt: null };
  const health = (state: HealthState, message: string): StatusDetail['health'] =>
    statusDetail.health.state === state &&
    statusDetail.health.message === message &&
    statusDetail.health.lastProbe === undefined
      ? statusDetail.health
      : { state, message, since: statusDetail.health.state === state ? statusDetail.health.since : now };
  const unknown = health('unknown', '');
  const serving = status === 'running' || status === 'unhealthy';

  switch (fact.kind) {
    case 'run-wanted':
      return to('pending', { ...clear, endpoint: null, health: unknown });
    case 'retry-began':
      return status === 'failed' ? to('pending', { nextRetryAt: null }) : phase;
    case 'pull-began':
      return to('pulling', { ...over, endpoint: null });
    case 'start-began':
      return to('starting', { ...over, endpoint: null, health: unknown });
    case 'probe-passed':
      return status === 'starting' || serving
        ? to('running', {
            ...clear,
            ...givenUp(statusDetail.update),
            endpoint: fact.endpoint,
            health: health(fact.health, fact.message),
          })
        : phase;
    case 'probe-failed': {
      if (!serving) return phase;
      const known = statusDetail.health.lastProbe;
      const isNew = !known || !sameFailure(known, fact);
      const lastProbe = isNew ? { at: now, code: fact.reason, message: fact.message } : known;
      const isSaid = status === 'unhealthy' && statusDetail.health.state === 'unhealthy';
      if (!isNew && (isSaid || !fact.fatal)) return phase;
      if (!fact.fatal) return to(status, { health: { ...statusDetail.health, lastProbe } });
      const { code: reason, message } = lastProbe;
      return to('unhealthy', { reason, message, health: { ...health('unhealthy', message), lastProbe } });
    }
    case 'probe-recovered': {
      if (!serving || statusDetail.health.lastProbe === undefined) return phase;
      const { lastProbe: _over, ...rest } = statusDetail.health;
      return to(status, { health: rest });
    }
    case 'start-failed':
      return status === 'pending' || status === 'pulling' || status === 'starting'
        ? to('failed', {
            ...failure(fact),
            lastExit: fact.exit ?? statusDetail.lastExit,
            endpoint: null,
            health: unknown,
          })
        : phase;
    case 'exited':
      return serving || status === 'starting'
        ? to('failed', {
            ...failure(fact),
            lastExit: fact.exit,
            // Nothing crashed where the engine ended.
            restartCount: statusDetail.restartCount + (fact.exit.code === 'ENGINE_RESTARTED' ? 0 : 1),
            endpoint: null,
            health: unknown,
          })
        : phase;
    case 'noted':
      return status === 'failed' || status === 'stopped' || status === 'idle'
        ? phase
        : to(status, { reason: fact.reason, message: fact.message });
    case 'update-failed':
      return status === 'deleting'
        ? phase
        : to(status, { update: fact.update, ...(status === 'running' ? givenUp(fact.update) : {}) });
    case 'update-over':
      return statusDetail.update === undefined
        ? phase
        : to(status, {
            update: undefined,
            ...(statusDetail.reason === 'UPDATE_ROLLED_BACK' ? { reason: '', message: '' } : {}),
          });
    case 'placement-lost':
      return serving
        ? to(status, {
            reason: fact.reason ?? 'PLACEMENT_UNREACHABLE',
            message: fact.message,
            health: health('unknown', fact.message),
          })
        : phase;
    case 'steady':
      return serving ? to(status, { restartCount: 0 }) : phase;
    case 'stop-wanted':
      return status === 'stopped' ? phase : to('stopping', { ...clear, health: unknown });
    case 'stopped':
      return to('stopped', { ...clear, ...atRest, health: unknown });
    case 'slept':
      return to('idle', { ...clear, ...atRest, health: unknown });
    case 'delete-wanted':
      return to('deleting', { ...clear, health: unknown });
  }
}

function failure(fact: Failure): Pick<StatusDetail, 'reason' | 'message' | 'nextRetryAt'> {
  return { reason: fact.reason, message: fact.message, nextRetryAt: fact.nextRetryAt };
}

/** What a server that runs goes on to say of an update that was given up. */
function givenUp(update: UpdateFailure | undefined): Partial<StatusDetail> {
  if (update?.nextRetryAt !== null) return {};
  const message = `The update failed and was rolled back: ${update.reason}: ${update.message}`;
  return { reason: 'UPDATE_ROLLED_BACK', message };
}

/** What makes a status a failure has a sentence, also where whoever reported it had none. */
function explained(status: InstanceStatus, detail: StatusDetail): StatusDetail {
  if ((status !== 'failed' && status !== 'unhealthy') || detail.message !== '') return detail;
  return { ...detail, message: `No more is known than the code ${detail.reason}.` };
}

/** Whether a probe failed in the way that is known: with the same code, and words that differ in figures only. */
function sameFailure(
  known: FailedProbe,
  fact: { readonly reason: ErrorCode; readonly message: string },
): boolean {
  return known.code === fact.reason && withoutFigures(known.message) === withoutFigures(fact.message);
}

/** A text with every word that holds a digit taken out: times, counts and ids of requests differ each time. */
function withoutFigures(text: string): string {
  return text
    .split(/\s+/u)
    .map((word) => (/\d/u.test(word) ? '#' : word))
    .join(' ');
}

/** A fact in words that may be shown: a server may have written them. */
function shownFact<T extends StatusFact>(fact: T): T {
  const message = 'message' in fact && { message: shownText(fact.message, longestMessage) };
  const lines = 'exit' in fact && fact.exit?.lastLogLines;
  const exit = lines && {
    exit: { ...fact.exit, lastLogLines: lines.map((line) => shownText(line, longestMessage)) },
  };
  return { ...fact, ...message, ...exit };
}
