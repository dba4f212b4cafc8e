import { z } from 'zod';
import type { MCPServer } from '../server/mcp-server.js';
import { anyDocument, count, envSchema, id, labels, timestamp } from './common-schemas.js';
import { wireCodec } from './wire-codec.js';

/** Translates servers. */
export const serverCodec = wireCodec<MCPServer>({
  what: 'server',
  schema: z.object({
    id,
    tenant: z.string(),
    name: z.string(),
    description: z.string(),
    dockerImageUrl: z.string().nullable(),
    version: z.string(),
    tags: z.array(z.string()),
    status: z.enum(['draft', 'active', 'deprecated', 'disabled']),
    isPublic: z.boolean(),
    envSchema,
    jsonSpec: anyDocument,
    labels,
    rollout: z.literal('rolling').optional(),
    createdAt: timestamp,
    updatedAt: timestamp,
    resourceVersion: count,
  }),
});
