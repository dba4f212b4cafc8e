import { mcpError, type MCPInfraError } from './mcpinfra-error.js';

/** One thing that is wrong with a document. */
export interface Issue {
  /** JSON pointer (RFC 6901) into the document, '' for the document itself. */
  readonly path: string;
  /** What kind of fault it is, stable for machines. */
  readonly code: IssueCode;
  /** A sentence that says what was expected, what came and what to do; never a secret value. */
  readonly message: string;
}

/** The kinds of fault a document can have. */
export type IssueCode =
  | 'required'
  | 'wrong_type'
  | 'out_of_range'
  | 'unknown_field'
  | 'unknown_type'
  | 'unknown_variable'
  | 'not_a_choice'
  | 'wrong_format'
  | 'conflict'
  | 'misplaced_reference'
  | 'malformed_reference'
  | 'forbidden_reference'
  | 'reserved'
  | 'over_limit'
  | 'unsupported'
  | 'secret_in_clear'
  | 'too_large';

/** Makes the refusal that carries every fault of a document at once. */
export function invalidSpec(what: string, issues: readonly Issue[]): MCPInfraError {
  const lines = issues.map((issue) => `${issue.path === '' ? '(document)' : issue.path}: ${issue.message}`);
  return mcpError('INVALID_SPEC', `${what} is not valid.\n  ${lines.join('\n  ')}`, { details: { issues } });
}

/** Escapes one segment of a JSON pointer (RFC 6901, section 3). */
export function pointer(...segments: readonly (string | number)[]): string {
  return segments.map((s) => `/${String(s).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
