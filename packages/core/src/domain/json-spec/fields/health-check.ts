import * as z from 'zod';
import { defaults } from '../../defaults.js';
import { seconds, secondsOrNone, someText } from './common.js';
import { specObject } from './spec-object.js';

const path = z
  .string({ error: 'Expected a path, such as "/health" on the server or "health" under the endpoint' })
  .max(2_048)
  .regex(/^(?![a-z][a-z0-9+.-]{0,19}:)[^\s\\#]+$/iu);

/** A probe that waits for its answer keeps others waiting, so it waits no longer. */
const probeTimeout = z
  .number({ error: `Expected a number of seconds above 0 and up to ${defaults.healthTimeoutMost}` })
  .positive()
  .max(defaults.healthTimeoutMost);

const inFull = specObject(
  {
    type: z.enum(['mcp', 'http', 'tcp', 'none']).optional(),
    path: path.optional(),
    interval: seconds.optional(),
    timeout: probeTimeout.optional(),
    retries: z.int({ error: 'Expected a whole number of failures from 1 to 100' }).min(1).max(100).optional(),
    start_period: secondsOrNone.optional(),
    canary_tool: someText.optional(),
  },
  ({ type, path: given }, report) => {
    if (given === undefined || type === undefined || type === 'http') return;
    report('path', 'conflict', 'Only a check of type http has a path. Remove path, or set type: http.');
  },
);

/** How the health of a server is known: a path, or the whole. */
export const healthCheck = z.union([path, inFull], {
  error: 'Expected a path such as "/health", or an object such as { "type": "mcp", "interval": 30 }',
});
