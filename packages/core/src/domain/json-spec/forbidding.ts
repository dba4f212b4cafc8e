import type { ZodType } from 'zod';
import type { IssueCode } from '../errors/issue.js';

/** What a host forbids of a document that is right in itself. */
export interface Forbidden {
  readonly code: IssueCode;
  /** Where it stands in the document. */
  readonly path: readonly (string | number)[];
  /** Says what is forbidden and what to change. */
  readonly message: string;
}

/** Has the schema of a document refuse what a host forbids, every fault at once. */
export function forbidding<TSpec>(
  schema: ZodType<TSpec>,
  forbidden: (spec: TSpec) => Iterable<Forbidden>,
): ZodType<TSpec> {
  return schema.superRefine((spec, context) => {
    for (const { code, path, message } of forbidden(spec)) {
      context.addIssue({ code: 'custom', path: [...path], message, params: { code } });
    }
  });
}
