import { MCPInfraError } from '@mcpinfra/core';

/** Something the quickstart checks is not so. */
export class QuickstartFailure extends Error {
  override readonly name = 'QuickstartFailure';
  /** What to do about it. */
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** Tells what went wrong, and what to do about it, in lines for people. */
export function failureLines(error: unknown): string[] {
  if (error instanceof QuickstartFailure) return [error.message, `What to do: ${error.remedy}`];
  if (MCPInfraError.isInstance(error)) {
    const { lastLogLines } = error.details;
    const logs = Array.isArray(lastLogLines) ? lastLogLines.map((line) => `  | ${String(line)}`) : [];
    // The message of a failed instance says what to do itself.
    const remedy = error.message.includes(error.remedy) ? [] : [`What to do: ${error.remedy}`];
    return [`${error.code}: ${error.message}`, ...logs, ...remedy];
  }
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')
    return [error.message, 'What to do: run npm install in the root of the repository.'];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
