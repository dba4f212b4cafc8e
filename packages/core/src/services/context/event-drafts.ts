import { randomUUID } from 'node:crypto';
import type { EventDraft } from '../../domain/events/event.js';
import type {
  EventMap,
  EventType,
  InstanceSubject,
  InstanceWish,
  ServerSubject,
  ServerWish,
} from '../../domain/events/event-map.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { MCPServer } from '../../domain/server/mcp-server.js';
import type { ServiceContext } from './service-context.js';

/** What an event is about and who caused it. */
export interface EventOrigin {
  readonly subject: string;
  readonly tenant: string;
  readonly actor: string;
  readonly correlationid: string;
}

/** Makes an event that still has to be committed. */
export function draftEvent<T extends EventType>(
  context: ServiceContext,
  origin: EventOrigin,
  event: { readonly type: T; readonly data: EventMap[T] },
): EventDraft {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: `mcpinfra/${context.identity().fleet}`,
    time: timestamp(context),
    datacontenttype: 'application/json',
    ...origin,
    ...event,
  } as EventDraft;
}

/** The origin of an event about an instance. */
export function instanceOrigin(record: InstanceRecord, actor = 'system'): EventOrigin {
  const { id, tenant, runtime } = record;
  return { subject: id, tenant, actor, correlationid: runtime.correlationId };
}

/** What every event about an instance says. */
export function instanceSubject(record: InstanceRecord): InstanceSubject {
  return { instanceId: record.id, name: record.name, slug: record.slug, labels: record.labels };
}

/** What is wanted of an instance, as an event says it. */
export function instanceWish(record: InstanceRecord): InstanceWish {
  const { serverSpecId, desiredState, generation, jsonSpec } = record;
  return { ...instanceSubject(record), serverSpecId, desiredState, generation, jsonSpec };
}

/** Tells that secrets have other values than the running copy was given. */
export function secretsRotated(context: ServiceContext, record: InstanceRecord, actor?: string): EventDraft {
  const { active } = record.runtime;
  return draftEvent(context, instanceOrigin(record, actor), {
    type: 'MCPServerInstanceSecretsRotated',
    data: { ...instanceSubject(record), revision: active?.revision ?? 0 },
  });
}

/** What every event about a server says. */
export function serverSubject(server: MCPServer): ServerSubject {
  const { id, name, version, status, labels } = server;
  return { serverId: id, name, version, status, labels };
}

/** What is wanted of a server, as an event says it. */
export function serverWish(server: MCPServer): ServerWish {
  const { resourceVersion: _ofTheEvent, ...definition } = server;
  return { ...serverSubject(server), definition };
}

/** The present, as rows and events hold it. */
export function timestamp(context: Pick<ServiceContext, 'clock'>, offsetMs = 0): string {
  return new Date(context.clock.now() + offsetMs).toISOString();
}
