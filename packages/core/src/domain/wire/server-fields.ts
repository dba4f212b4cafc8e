import { z } from 'zod';
import { anyDocument, envSchema, id, labels, timestamp } from './common-schemas.js';

/** What a definition is, but for its version in a store. */
export const serverFields = z.object({
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
});
