/** What changed for every client of the process, so that each open connection can say so. */
export type FixtureChange =
  | { readonly kind: 'tool-added'; readonly name: string }
  | { readonly kind: 'tool-toggled' }
  | { readonly kind: 'prompt-toggled' }
  | { readonly kind: 'resource-updated'; readonly uri: string };

/** The memory of one process. Sessions share it, and stateless requests would have none without it. */
export class FixtureState {
  readonly #listeners = new Set<(change: FixtureChange) => void>();
  readonly #addedTools: string[] = [];
  readonly #ballast: Buffer[] = [];
  #count = 0;
  #cancellations = 0;
  #toolShown = false;
  #promptShown = false;
  #watchedRevision = 0;

  get addedTools(): readonly string[] {
    return this.#addedTools;
  }

  get toolShown(): boolean {
    return this.#toolShown;
  }

  get promptShown(): boolean {
    return this.#promptShown;
  }

  get watchedRevision(): number {
    return this.#watchedRevision;
  }

  /** How many calls were cancelled by their client. */
  get cancellations(): number {
    return this.#cancellations;
  }

  nextCount(): number {
    this.#count += 1;
    return this.#count;
  }

  noteCancellation(): void {
    this.#cancellations += 1;
  }

  /** Takes resident memory and keeps it; returns the megabytes held in all. */
  grow(megabytes: number): number {
    // Filled, because untouched pages of a zeroed buffer count against no limit.
    for (let taken = 0; taken < megabytes; taken += 1) this.#ballast.push(Buffer.alloc(1 << 20, 1));
    return this.#ballast.length;
  }

  /** Adds a tool for good; returns its name. */
  addTool(): string {
    const name = `added_${this.#addedTools.length + 1}`;
    this.#addedTools.push(name);
    this.#publish({ kind: 'tool-added', name });
    return name;
  }

  toggleTool(): void {
    this.#toolShown = !this.#toolShown;
    this.#publish({ kind: 'tool-toggled' });
  }

  togglePrompt(): void {
    this.#promptShown = !this.#promptShown;
    this.#publish({ kind: 'prompt-toggled' });
  }

  updateWatchedResource(uri: string): void {
    this.#watchedRevision += 1;
    this.#publish({ kind: 'resource-updated', uri });
  }

  /** Calls the listener on each change until the returned function is called. */
  onChange(listener: (change: FixtureChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #publish(change: FixtureChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
