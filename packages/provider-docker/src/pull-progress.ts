interface Layer {
  readonly done: number;
  readonly total: number;
}

/** Adds up how far the layers of an image are, as the engine tells it line by line. */
export class PullProgress {
  readonly #layers = new Map<string, Layer>();
  /** Why the engine could not fetch the image. */
  error: string | undefined;

  /** Takes one line; tells whether the sums may have changed. */
  take(line: unknown): boolean {
    if (typeof line !== 'object' || line === null) return false;
    const { id, status, progressDetail, error } = line as Readonly<Record<string, unknown>>;
    if (typeof error === 'string') this.error = error;
    if (typeof id !== 'string' || typeof status !== 'string') return false;
    const { current, total } = (progressDetail ?? {}) as Readonly<Record<string, unknown>>;
    const known = this.#layers.get(id);
    if (status === 'Downloading' && typeof current === 'number') {
      this.#layers.set(id, { done: current, total: typeof total === 'number' ? total : current });
      return true;
    }
    if (status === 'Download complete' && known) {
      this.#layers.set(id, { done: known.total, total: known.total });
      return true;
    }
    return false;
  }

  get completedBytes(): number {
    return [...this.#layers.values()].reduce((sum, layer) => sum + layer.done, 0);
  }

  /** Of the layers whose size is known so far; `null` before the first. */
  get totalBytes(): number | null {
    if (this.#layers.size === 0) return null;
    return [...this.#layers.values()].reduce((sum, layer) => sum + layer.total, 0);
  }
}
