import { pointer, type Issue, type IssueCode } from '../errors/issue.js';

/** What is wrong with an environment: the first that was found of each variable. */
export class ReportedIssues {
  readonly #issues = new Map<string, Issue>();

  report(name: string, code: IssueCode, message: string): void {
    const path = pointer('environment', name);
    if (!this.#issues.has(path)) this.#issues.set(path, { path, code, message });
  }

  all(): readonly Issue[] {
    return [...this.#issues.values()];
  }
}
