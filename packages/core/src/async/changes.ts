/** Tells all who wait for the next change that there was one. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next change, or when the signal is aborted; never rejects. */
  async next(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', done);
    });
  }

  tell(): void {
    for (const done of [...this.#waiting]) done();
  }
}
