import { untilItFits } from '../../async/until-it-fits.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { EventDraft } from '../../domain/events/event.js';
import type { InstanceRecord, InstanceRuntime } from '../../domain/instance/instance-record.js';
import type { StatusDetail } from '../../domain/instance/mcp-server-instance.js';
import type { InstancePhase, StatusFact } from '../../domain/instance/status-reducer.js';
import { reduceStatus } from '../../domain/instance/status-reducer.js';
import { draftEvent, instanceOrigin, instanceSubject, timestamp } from './event-drafts.js';
import type { ServiceContext } from './service-context.js';

/** What is to be written of an instance. */
export interface InstanceChange {
  /** What happened, in order; the reducer decides what follows. */
  readonly facts?: readonly StatusFact[] | undefined;
  readonly runtime?: Partial<InstanceRuntime> | undefined;
  readonly fields?:
    | Partial<
        Pick<
          InstanceRecord,
          | 'jsonSpec'
          | 'description'
          | 'labels'
          | 'desiredState'
          | 'generation'
          | 'observedGeneration'
          | 'serverResourceVersion'
        >
      >
    | undefined;
  /** Further events to commit with the row. */
  readonly events?: ((record: InstanceRecord) => readonly EventDraft[]) | undefined;
}

/** Who writes: the caller of a command, or a worker under its lease. */
export interface WriteOrigin {
  readonly actor?: string | undefined;
  readonly fence?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The row that follows from a change, and the status events it makes. Nothing is written. */
function applyChange(
  context: ServiceContext,
  record: InstanceRecord,
  change: InstanceChange,
): {
  readonly next: InstanceRecord;
  readonly statusEvents: (next: InstanceRecord, actor: string) => EventDraft[];
} {
  const now = timestamp(context);
  const phases: InstancePhase[] = [{ status: record.status, statusDetail: record.statusDetail }];
  for (const fact of change.facts ?? []) phases.push(reduceStatus(phases.at(-1) ?? record, fact, now));
  const last = phases.at(-1) ?? record;
  const next: InstanceRecord = {
    ...record,
    ...change.fields,
    status: last.status,
    statusDetail: last.statusDetail,
    runtime: { ...record.runtime, ...change.runtime },
  };
  const statusEvents = (row: InstanceRecord, actor: string): EventDraft[] => {
    // What follows in the same status at once is told as one.
    const steps = phases.filter((phase, i) => i === 0 || phases[i + 1]?.status !== phase.status);
    const events = steps.slice(1).flatMap((phase, i) => {
      const before = steps[i];
      return before && isTransition(before, phase)
        ? [statusEvent(context, row, { before, phase, actor })]
        : [];
    });
    // What was wanted has come true without another status, such as by a new copy: whoever waits for it is told.
    const cameTrue = record.observedGeneration !== next.observedGeneration;
    return events.length === 0 && cameTrue
      ? [statusEvent(context, row, { before: record, phase: next, actor })]
      : events;
  };
  return { next, statusEvents };
}

/** Writes a change under the row's version. @throws `CONFLICT`, `LEASE_LOST` */
export async function writeChange(
  context: ServiceContext,
  record: InstanceRecord,
  change: InstanceChange & { readonly origin?: WriteOrigin | undefined },
): Promise<InstanceRecord> {
  const origin = change.origin ?? {};
  const { next, statusEvents } = applyChange(context, record, change);
  const events = [...(change.events?.(next) ?? []), ...statusEvents(next, origin.actor ?? 'system')];
  if (events.length === 0 && same(record, next)) return record;
  const row = { ...next, updatedAt: timestamp(context) };
  const written = await context.store.updateInstance(
    row,
    { events, fence: origin.fence },
    { signal: origin.signal },
  );
  if (events.length > 0) context.committed();
  logTransition(context, record, written);
  return written;
}

/**
 * Reads an instance, lets `decide` say what to write, and does so again when somebody else wrote meanwhile.
 *
 * @param decide - returns the change, or `null` for none
 */
export async function changeInstance(
  context: ServiceContext,
  id: string,
  request: {
    readonly decide: (record: InstanceRecord) => Promise<InstanceChange | null> | InstanceChange | null;
    readonly origin?: WriteOrigin | undefined;
  },
): Promise<InstanceRecord> {
  return untilItFits(context.random, async () => {
    const record = await context.store.instances.get(id, { signal: request.origin?.signal });
    if (!record) throw mcpError('NOT_FOUND', `There is no instance with the id ${JSON.stringify(id)}.`);
    const change = await request.decide(record);
    if (!change) return async () => record;
    return () => writeChange(context, record, { ...change, origin: request.origin });
  });
}

function isTransition(before: InstancePhase, after: InstancePhase): boolean {
  const a = before.statusDetail;
  const b = after.statusDetail;
  return (
    before.status !== after.status ||
    a.health.state !== b.health.state ||
    (a.reason !== b.reason && (after.status !== 'pending' || isAboutPlacement(a, b))) ||
    (b.endpoint !== null && a.endpoint?.url !== b.endpoint.url)
  );
}

/** What waits for its turn says so often and for a moment; what waits for an engine that is away, until somebody mends it. */
function isAboutPlacement(...details: readonly StatusDetail[]): boolean {
  return details.some(({ reason }) => reason === 'PLACEMENT_UNREACHABLE');
}

function statusEvent(
  context: ServiceContext,
  row: InstanceRecord,
  change: { readonly before: InstancePhase; readonly phase: InstancePhase; readonly actor: string },
): EventDraft {
  const { before, phase } = change;
  const detail = phase.statusDetail;
  return draftEvent(context, instanceOrigin(row, change.actor), {
    type: 'MCPServerInstanceStatusChanged',
    data: {
      ...instanceSubject(row),
      from: before.status,
      to: phase.status,
      reason: detail.reason,
      message: detail.message,
      endpoint: detail.endpoint,
      health: detail.health.state,
      restartCount: detail.restartCount,
      nextRetryAt: detail.nextRetryAt,
      observedGeneration: row.observedGeneration,
      lastedMs: Math.max(0, context.clock.now() - Date.parse(before.statusDetail.since)),
      toolCount: phase.status === 'running' ? (row.runtime.handshake?.tools.length ?? null) : null,
    },
  });
}

function logTransition(context: ServiceContext, before: InstanceRecord, after: InstanceRecord): void {
  const { reason: told } = before.statusDetail;
  const newReason = after.statusDetail.reason !== '' && after.statusDetail.reason !== told;
  if (before.status === after.status && !newReason) return;
  const { reason, message, nextRetryAt } = after.statusDetail;
  context.logger.info('instance status changed', {
    instance: after.name,
    from: before.status,
    to: after.status,
    reason,
    explanation: message,
    lastedMs: Math.max(0, context.clock.now() - Date.parse(before.statusDetail.since)),
    toolCount: after.status === 'running' ? (after.runtime.handshake?.tools.length ?? null) : null,
    nextRetryAt,
  });
}

function same(a: InstanceRecord, b: InstanceRecord): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
