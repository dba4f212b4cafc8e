import * as z from 'zod';
import type { Rule } from './spec-object.js';

const inList = 'Expected a list of texts, one for each argument, such as ["--port", "8080"]';

/** Arguments, each handed over as it is: no shell splits or expands them. */
export const argumentList = z
  .array(z.string({ error: 'Expected text; write numbers in quotes' }), { error: inList })
  .max(1_000);

/** A program and its arguments. */
export const commandLine = argumentList
  .min(1, { error: 'Expected the program as the first text, such as ["node", "server.js"]' })
  .refine((argv) => argv[0] !== '', {
    error: 'Expected the program as the first text, but it is empty',
  });

/** `cmd` and `command` are one field. */
export const commandRule: Rule = ({ cmd, command }, report) => {
  if (cmd === undefined || command === undefined) return;
  report(
    'cmd',
    'conflict',
    'cmd is another name of command and both are given. Keep command and remove cmd.',
  );
};

/** Writes the alias `cmd` as `command`. */
export function withoutAlias<T extends { cmd?: string[] | undefined; command?: string[] | undefined }>({
  cmd,
  ...spec
}: T): Omit<T, 'cmd'> {
  return cmd === undefined ? spec : { ...spec, command: cmd };
}
