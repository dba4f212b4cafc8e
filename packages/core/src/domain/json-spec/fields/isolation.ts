import * as z from 'zod';
import { specObject } from './spec-object.js';

const tier = z.enum(['untrusted', 'standard', 'trusted']);

/** How far a container is kept apart: a tier, or a tier and single controls granted. */
export const isolation = z.union(
  [
    tier,
    specObject({
      tier: tier.optional(),
      capabilities: z
        .array(
          z
            .string({ error: 'Expected a capability such as "NET_BIND_SERVICE"' })
            .regex(/^(?!CAP_)[A-Z][A-Z_]{2,40}$/u),
        )
        .max(50)
        .optional(),
      new_privileges: z.boolean().optional(),
    }),
  ],
  {
    error:
      'Expected one of "untrusted", "standard", "trusted", or an object such as { "capabilities": ["CHOWN"] }',
  },
);
