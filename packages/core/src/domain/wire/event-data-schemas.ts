import { z } from 'zod';
import type { EventMap, EventType } from '../events/event-map.js';
import { count, errorCode, id, jsonSpec, labels, reason, timestamp } from './common-schemas.js';
import { serverFields } from './server-fields.js';
import { desiredState, endpoint, healthState, instanceStatus } from './instance-fields.js';

const server = z.object({
  serverId: id,
  name: z.string(),
  version: z.string(),
  status: z.string(),
  labels,
});

const serverWish = server.extend({ definition: serverFields.optional() });

const instance = z.object({ instanceId: id, name: z.string(), slug: z.string(), labels });

const wish = instance.extend({ serverSpecId: id.nullable(), desiredState, generation: count, jsonSpec });

/** The data of every event by its type. */
export const eventDataSchemas: { readonly [T in EventType]: z.ZodType<EventMap[T]> } = {
  MCPServerCreated: serverWish,
  MCPServerUpdated: serverWish,
  MCPServerDeleted: server,
  MCPServerInstanceCreated: wish,
  MCPServerInstanceUpdated: wish,
  MCPServerInstanceStarted: wish,
  MCPServerInstanceStopped: wish,
  MCPServerInstanceDeleted: wish,
  MCPServerInstanceStatusChanged: instance.extend({
    from: instanceStatus,
    to: instanceStatus,
    reason,
    message: z.string(),
    endpoint: endpoint.nullable(),
    health: healthState,
    restartCount: count,
    nextRetryAt: timestamp.nullable(),
    observedGeneration: count,
    lastedMs: z.number(),
    toolCount: count.nullable(),
  }),
  MCPServerInstancePullProgress: instance.extend({
    image: z.string(),
    completedBytes: count,
    totalBytes: count.nullable(),
  }),
  MCPServerInstanceSecretsRotated: instance.extend({ revision: count }),
  MCPServerInstanceToolsChanged: instance.extend({
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.string()),
  }),
  MCPServerInstanceEgressDenied: instance.extend({ destination: z.string(), grant: z.string() }),
  MCPServerInstanceRemoved: instance,
  GatewayCallAudited: instance.extend({
    principal: z.string(),
    method: z.string(),
    tool: z.string().nullable(),
    outcome: z.enum(['ok', 'error', 'denied']),
    durationMs: z.number(),
  }),
  FleetDegraded: z.object({ part: z.string(), reason: errorCode, message: z.string() }),
  FleetRecovered: z.object({ part: z.string() }),
};
