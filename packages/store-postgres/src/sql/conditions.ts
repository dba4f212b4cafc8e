/** Collects the conditions of a query and the values they need. */
export class Conditions {
  readonly values: unknown[] = [];
  readonly #all: string[] = [];

  /** Adds a condition on a value, unless nothing is asked for. */
  ask(value: unknown, condition: (place: string) => string): void {
    if (value !== undefined) this.require(condition(this.place(value)));
  }

  /** Adds a condition. */
  require(condition: string): void {
    this.#all.push(condition);
  }

  /** Gives a value its place. */
  place(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /** The conditions, as one that always holds where there are none. */
  get sql(): string {
    return this.#all.length === 0 ? 'true' : this.#all.join(' and ');
  }
}
