import * as z from 'zod';
import { parseByteSize } from '../byte-size.js';
import { specObject } from './spec-object.js';

// Engines refuse less.
const leastMemory = 6 * 1024 ** 2;

/** A size of memory. */
export const memoryLimit = z
  .string({ error: 'Expected a size as text, such as "256m" or "1g"' })
  .refine((text) => parseByteSize(text) !== undefined)
  .refine((text) => (parseByteSize(text) ?? leastMemory) >= leastMemory, {
    error: 'Expected at least "6m"; a number without a unit is bytes',
    params: { code: 'out_of_range' },
  });

const cpuLimit = z
  .string({ error: 'Expected a number of CPUs above 0 as text, such as "0.5"' })
  .regex(/^\d{1,4}(?:\.\d{1,9})?$/u)
  .refine((text) => Number(text) > 0);

/** How many processes and threads. */
export const pidsLimit = z
  .int({ error: 'Expected a whole number of processes from 1' })
  .min(1)
  .max(4_194_304);

/** What a container may use. */
export const containerResources = specObject({
  memory_limit: memoryLimit.optional(),
  cpu_limit: cpuLimit.optional(),
  pids_limit: pidsLimit.optional(),
});
