import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { normaliseError } from '../../domain/errors/normalise-error.js';

/** What applying a document did; names are `server/<name>@<version>` and `instance/<name>`. */
export interface ApplyResult {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
  readonly removed: readonly string[];
  /** The parts that were refused; with `wait` also those that did not come true, and `prune` where that was not done. */
  readonly errors: readonly { readonly name: string; readonly error: MCPInfraError }[];
}

/** What became of one part, and what shows that it has come true. */
export interface PartOutcome {
  readonly outcome: Exclude<keyof ApplyResult, 'errors'>;
  readonly comesTrue?: Promise<unknown> | undefined;
}

type PartEnd = Omit<PartOutcome, 'comesTrue'> | { readonly error: MCPInfraError };

/** Counts what became of the parts of a document, each by itself, in their order. */
export class ApplyTally {
  readonly #parts: { readonly name: string; readonly end: Promise<PartEnd> }[] = [];
  /** The parts that were refused so far. */
  readonly refused: string[] = [];

  /** Does one part; what it has yet to wait for is waited for beside the parts after it. */
  async add(name: string, work: () => Promise<PartOutcome>): Promise<void> {
    const failed = (error: unknown): PartEnd => ({
      error: normaliseError(error, 'INTERNAL', `Applying ${name} failed`),
    });
    try {
      const { outcome, comesTrue } = await work();
      const end = Promise.resolve(comesTrue).then((): PartEnd => ({ outcome }), failed);
      this.#parts.push({ name, end });
    } catch (error) {
      this.refused.push(name);
      this.#parts.push({ name, end: Promise.resolve(failed(error)) });
    }
  }

  async result(): Promise<ApplyResult> {
    const created: string[] = [];
    const updated: string[] = [];
    const unchanged: string[] = [];
    const removed: string[] = [];
    const done = { created, updated, unchanged, removed };
    const errors: { name: string; error: MCPInfraError }[] = [];
    for (const { name, end } of this.#parts) {
      const ended = await end;
      if ('error' in ended) errors.push({ name, error: ended.error });
      else done[ended.outcome].push(name);
    }
    return { ...done, errors };
  }
}
