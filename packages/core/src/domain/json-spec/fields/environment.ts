import * as z from 'zod';

/** Names and texts. What core demands of names and values it checks for every type alike. */
export const environment = z.record(z.string(), z.string());

/** Names of variables that stay in clear. */
export const plainEnvironment = z.array(z.string()).max(1_000);

/** Labels of a copy. */
export const labels = z.record(
  z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/u, {
      error: 'Expected a label name of letters, digits, ".", "_", "/" and "-"',
    })
    .refine((name) => !name.startsWith('io.mcpinfra.'), {
      error: 'Labels that begin with io.mcpinfra. are set by the library. Choose another name.',
      params: { code: 'reserved' },
    }),
  z.string({ error: 'Expected text of at most 4096 characters' }).max(4_096),
);
