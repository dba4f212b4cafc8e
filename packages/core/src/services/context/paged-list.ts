import type { Page } from '../../domain/list-page.js';

/** A list: await it for one page, or iterate over every row of every page. */
export class PagedList<T> implements PromiseLike<Page<T>>, AsyncIterable<T> {
  readonly #fetch: (cursor: string | undefined) => Promise<Page<T>>;
  readonly #cursor: string | undefined;

  constructor(fetch: (cursor: string | undefined) => Promise<Page<T>>, cursor: string | undefined) {
    this.#fetch = fetch;
    this.#cursor = cursor;
  }

  then<A = Page<T>, B = never>(
    onFulfilled?: ((page: Page<T>) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#fetch(this.#cursor).then(onFulfilled, onRejected);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    let cursor = this.#cursor;
    do {
      const page: Page<T> = await this.#fetch(cursor);
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
}
