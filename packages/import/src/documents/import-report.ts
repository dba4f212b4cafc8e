import type { Issue, IssueCode } from '@mcpinfra/core/plugin';

/** Something a document says that was left behind, and why. */
export interface NotCarried {
  /** JSON pointer (RFC 6901) into what was imported, '' for all of it. */
  readonly path: string;
  /** A sentence that says what was left and what to do instead; never a secret value. */
  readonly message: string;
}

/** What is said about a document while it is read: its faults, and what could not be carried over. */
export class ImportReport {
  readonly issues: Issue[] = [];
  readonly notCarried: NotCarried[] = [];
  /** Where the document holds secrets in clear. */
  readonly secretsInClear: string[] = [];

  /** Adds a fault: nothing of the document is imported. */
  fault(path: string, code: IssueCode, message: string): void {
    this.issues.push({ path, code, message });
  }

  /** Adds what is left behind: the rest is imported. */
  leave(path: string, message: string): void {
    this.notCarried.push({ path, message });
  }
}
