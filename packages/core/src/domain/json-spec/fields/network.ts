import * as z from 'zod';
import { specObject } from './spec-object.js';

const destination = z
  .string({ error: 'Expected a host name and a port, such as "api.github.com:443"' })
  .regex(/^(?=[^:]{1,253}:)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?:\d{1,5}$/u)
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) - 1 < 65_535 && !text.endsWith(':0'));

/** What a container may reach. */
export const network = specObject(
  {
    egress: z.enum(['none', 'internal', 'open']).optional(),
    allow: z.array(destination).max(1_000).optional(),
  },
  ({ egress, allow }, report) => {
    if (egress !== 'open' || allow === undefined) return;
    report(
      'allow',
      'conflict',
      'With egress: open everything is allowed. Remove allow, or set egress: none.',
    );
  },
);
