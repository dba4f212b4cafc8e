import * as z from 'zod';
import { parseByteSize } from '../byte-size.js';
import { someText } from './common.js';
import { specObject } from './spec-object.js';

/** A path inside the container. */
export const absolutePath = z
  .string({ error: 'Expected a path that begins with a slash, without ".."' })
  .max(4_096)
  .regex(/^\/(?!.*(?:^|\/)\.\.(?:\/|$))/u);

/** What is mounted from outside. */
export const volumes = z
  .array(specObject({ source: someText, target: absolutePath, read_only: z.boolean().optional() }), {
    error: 'Expected a list of mounts, such as [{ "source": "/srv/docs", "target": "/data" }]',
  })
  .max(100);

/** What is kept in memory. */
export const tmpfs = z
  .array(
    specObject({
      path: absolutePath,
      size: z
        .string({ error: 'Expected a size as text, such as "64m"' })
        .refine((text) => (parseByteSize(text) ?? 0) > 0)
        .optional(),
    }),
    { error: 'Expected a list of directories, such as [{ "path": "/var/cache", "size": "64m" }]' },
  )
  .max(100);

/** Whom a process runs as. */
export const user = z
  .string({ error: 'Expected a user as text, such as "1000:1000" or "node"' })
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?$/u);
