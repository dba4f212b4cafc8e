import { z } from 'zod';
import type { InstanceRecord, ToolDescription } from '../instance/instance-record.js';
import { anyDocument, count, envSchema, jsonSpec, timestamp } from './common-schemas.js';
import { instanceFields } from './instance-fields.js';
import { wireCodec } from './wire-codec.js';

// A tool stays as the protocol has it: its keys are the server's.
const tool = z.looseObject({
  name: z.string(),
  description: z.string().optional(),
  inputSchema: anyDocument,
}) satisfies z.ZodType<ToolDescription>;

const copy = z.object({ revision: count, runHash: z.string(), spec: jsonSpec });

const runtime = z.object({
  placement: z.string().nullable(),
  active: copy.nullable(),
  candidate: copy.nullable(),
  lastRevision: count,
  refusedGeneration: count.nullable(),
  renew: z.boolean(),
  secretsVersion: count,
  secretFingerprint: z.string().nullable().optional(),
  deleteRequestedAt: timestamp.nullable(),
  failures: count,
  steadySince: timestamp.nullable(),
  wantedUntil: timestamp.nullable(),
  pinned: z
    .object({
      name: z.string(),
      version: z.string(),
      resourceVersion: count,
      dockerImageUrl: z.string().nullable(),
      jsonSpec: anyDocument,
      envSchema,
    })
    .nullable(),
  handshake: z
    .object({
      at: timestamp,
      era: z.enum(['legacy', 'modern']),
      protocolVersion: z.string(),
      serverName: z.string(),
      serverVersion: z.string(),
      tools: z.array(tool),
      note: z.string().optional(),
    })
    .nullable(),
  ownedSecretScopes: z.array(z.string()),
  appliedKeys: z.array(z.string()),
  correlationId: z.string(),
  leaseEpoch: count,
});

/** Translates rows of the store: an instance and what only the controller needs. */
export const instanceRecordCodec = wireCodec<InstanceRecord>({
  what: 'stored instance',
  schema: z.object({ ...instanceFields, runtime }),
});
