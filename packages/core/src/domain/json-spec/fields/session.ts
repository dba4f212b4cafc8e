import * as z from 'zod';
import { seconds } from './common.js';
import { specObject } from './spec-object.js';

/** How clients share a stdio server. */
export const session = specObject({
  policy: z.enum(['shared', 'per-session']).optional(),
  max: z
    .int({ error: 'Expected a whole number of sessions from 1 to 100000' })
    .min(1)
    .max(100_000)
    .optional(),
  idle_timeout: seconds.optional(),
});
