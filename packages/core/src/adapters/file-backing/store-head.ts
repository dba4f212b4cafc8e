/** Whose store a file holds. */
export interface StoreHead {
  readonly storeId: string;
  readonly fleet: string;
}

/** How files are written: 1 was one JSON document, 2 is a snapshot and a journal of records. */
export const formatVersion = 2;
