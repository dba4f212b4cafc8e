import { z } from 'zod';
import { instanceStatuses } from '../instance/mcp-server-instance.js';
import { count, errorCode, id, jsonSpec, labels, reason, timestamp } from './common-schemas.js';

/** Where an instance can be in its life. */
export const instanceStatus = z.enum(instanceStatuses);

/** What can be wanted of an instance. */
export const desiredState = z.enum(['running', 'stopped']);

/** What probes can say. */
export const healthState = z.enum(['unknown', 'healthy', 'unhealthy', 'unauthorized']);

/** The description of how a server is reached. */
export const endpoint = z.object({
  transport: z.enum(['streamable-http', 'sse', 'stdio']),
  url: z.string().optional(),
});

const exitRecord = z.object({
  at: timestamp,
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  oomKilled: z.boolean(),
  lastLogLines: z.array(z.string()),
  code: errorCode.optional(),
});

const updateFailure = z.object({
  generation: count,
  reason: errorCode,
  message: z.string(),
  since: timestamp,
  at: timestamp,
  attempts: count,
  nextRetryAt: timestamp.nullable(),
  lastExit: exitRecord.nullable(),
});

/** The fields of an instance as it is shown. */
export const instanceFields = {
  id,
  tenant: z.string(),
  name: z.string(),
  description: z.string(),
  serverSpecId: id.nullable(),
  serverResourceVersion: count.nullable(),
  jsonSpec,
  slug: z.string(),
  desiredState,
  status: instanceStatus,
  statusDetail: z.object({
    reason,
    message: z.string(),
    since: timestamp,
    restartCount: count,
    nextRetryAt: timestamp.nullable(),
    lastExit: exitRecord.nullable(),
    endpoint: endpoint.nullable(),
    health: z.object({
      state: healthState,
      message: z.string(),
      since: timestamp,
      lastProbe: z.object({ at: timestamp, code: errorCode, message: z.string() }).optional(),
    }),
    update: updateFailure.optional(),
  }),
  generation: count,
  observedGeneration: count,
  url: z.string().nullable(),
  labels,
  createdAt: timestamp,
  updatedAt: timestamp,
  resourceVersion: count,
} as const;
