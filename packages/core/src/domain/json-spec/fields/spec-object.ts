import * as z from 'zod';
import type { IssueCode } from '../../errors/issue.js';

/** Reports a fault that concerns more than one field, at the one to change. */
export type Report = (member: string, code: IssueCode, message: string) => void;

/** A rule over several fields. It also runs on documents with other faults, so it takes nothing for granted. */
export type Rule = (members: Readonly<Record<string, unknown>>, report: Report) => void;

/**
 * Makes the schema of an object of a document: unknown keys are errors, `null` for an optional field counts as absent,
 * and rules over several fields report together with the faults of single ones.
 */
// The return type is the schema's own and is inferred: it names every field.
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- see above
export function specObject<T extends z.core.$ZodLooseShape>(shape: T, rule?: Rule) {
  const optional = Object.keys(shape).filter((key) => shape[key] instanceof z.ZodOptional);
  const object = z.strictObject(shape);
  return z.preprocess(
    (value) => withoutNulls(value, optional),
    rule === undefined ? object : object.check(runsAlways(rule)),
  );
}

function runsAlways(rule: Rule): z.core.$ZodCheck<Record<string, unknown>> {
  return z.core._check<Record<string, unknown>>(
    ({ value, issues }) => {
      if (typeof value !== 'object' || Array.isArray(value)) return;
      rule(value, (member, code, message) => {
        issues.push({
          code: 'custom',
          path: [member],
          message,
          input: value,
          params: { code },
          continue: true,
        });
      });
    },
    { when: ({ value }) => value !== null },
  );
}

/** Takes `null` for absent where a member is optional. */
export function withoutNulls(value: unknown, optional: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(
      ([key, member]: [string, unknown]) => member !== null || !optional.includes(key),
    ),
  );
}
