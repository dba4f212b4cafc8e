import * as z from 'zod';
import { seconds, secondsOrNone } from './common.js';
import { specObject } from './spec-object.js';

/** When a copy runs. */
export const lifecycle = specObject({
  start: z.enum(['eager', 'on-demand']).optional(),
  idle_timeout: seconds.optional(),
  stop_grace: secondsOrNone.optional(),
  drain_timeout: secondsOrNone.optional(),
  max_restarts: z
    .int({ error: 'Expected a whole number of restarts from 0' })
    .min(0)
    .max(1_000_000)
    .optional(),
  startup_timeout: seconds.optional(),
  busy_timeout: seconds.optional(),
});
