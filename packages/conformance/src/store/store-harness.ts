import type { Store } from '@mcpinfra/core/plugin';

/** One set of data for one case, and how it is reached. */
export interface StoreHarness {
  /** A store on new, empty data; the suite opens and closes it. */
  readonly store: Store;
  /**
   * Makes another store on the same data, as another process would; the suite opens and closes it.
   *
   * Absent where the data ends with its store, which is then not durable.
   */
  readonly reopen?: (() => Store | Promise<Store>) | undefined;
  /**
   * Whether several stores can be open on the same data at once.
   *
   * @defaultValue true where there is `reopen`
   */
  readonly concurrent?: boolean | undefined;
  /** Removes the data; called when every store on it was closed. */
  readonly dispose?: (() => Promise<void>) | undefined;
}
