/**
 * Which positions of the log have been heard of: all up to a floor, and some above it.
 *
 * A bus may repeat and comes in any order; the log fills every gap sooner or later, so what is remembered is only what came
 * ahead of it.
 */
export class HeardPositions {
  readonly #ahead = new Set<number>();
  #floor: number;

  /** @param floor - everything up to here counts as heard of */
  constructor(floor: number) {
    this.#floor = floor;
  }

  /** Everything up to here has been heard of. */
  get floor(): number {
    return this.#floor;
  }

  /** @returns whether it is the first time */
  hear(position: number): boolean {
    if (position <= this.#floor || this.#ahead.has(position)) return false;
    this.#ahead.add(position);
    this.#rise();
    return true;
  }

  /** Has everything up to a position count as heard of. */
  pass(position: number): void {
    if (position <= this.#floor) return;
    this.#floor = position;
    for (const ahead of this.#ahead) if (ahead <= position) this.#ahead.delete(ahead);
    this.#rise();
  }

  #rise(): void {
    while (this.#ahead.delete(this.#floor + 1)) this.#floor += 1;
  }
}
