import { inspect } from 'node:util';
import { type Canary, doorsIn } from './canary.js';

/** A value that was found at a place. */
export interface Hit {
  readonly place: string;
  readonly door: string;
}

/** Looks for canaries in whatever is shown to it, and keeps where it found which. */
export class Ledger {
  readonly #canaries: readonly Canary[];
  readonly #hits = new Map<string, Hit>();

  constructor(canaries: readonly Canary[]) {
    this.#canaries = canaries;
  }

  get canaries(): readonly Canary[] {
    return this.#canaries;
  }

  get hits(): readonly Hit[] {
    return [...this.#hits.values()];
  }

  see(place: string, value: unknown): void {
    for (const door of doorsIn(typeof value === 'string' ? value : printed(value), this.#canaries))
      this.#hits.set(`${place}\n${door}`, { place, door });
  }

  /** Looks at what an operation answers, or at the error it rejects with. */
  async keep<T>(what: string, answer: Promise<T>): Promise<T | undefined> {
    try {
      const value = await answer;
      this.see(`answer of ${what}`, value);
      return value;
    } catch (error) {
      this.see(`error of ${what}`, error);
      return undefined;
    }
  }
}

/** A value in every way Node prints it, causes included. */
function printed(value: unknown): string {
  const everything = { depth: null, maxArrayLength: null, maxStringLength: null, showHidden: true };
  const texts = [inspect(value, everything), asJSON(value), String(value)];
  for (let error = value; error instanceof Error; error = error.cause)
    texts.push(error.stack ?? '', error.message, asJSON(error));
  return texts.join('\n');
}

function asJSON(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // What refers to itself was printed by inspect.
    return '';
  }
}
