import type { ListPlace } from '../../plugin.js';

/** The ids of a table in the order of creation, for keyset pages. */
export class RowOrder {
  readonly #keys: string[] = [];

  add(row: ListPlace): void {
    const key = keyOf(row);
    this.#keys.splice(this.#indexOf(key), 0, key);
  }

  remove(row: ListPlace): void {
    const key = keyOf(row);
    const index = this.#indexOf(key);
    if (this.#keys[index] === key) this.#keys.splice(index, 1);
  }

  /** The ids of all rows that come after the given place. */
  *after(place: ListPlace | undefined): Generator<string> {
    const start = place === undefined ? 0 : this.#indexOf(`${keyOf(place)}\0`);
    for (let index = start; index < this.#keys.length; index += 1) {
      const key = this.#keys[index] ?? '';
      yield key.slice(key.indexOf('\0') + 1);
    }
  }

  /** The first index whose key is not below the given one. */
  #indexOf(key: string): number {
    const keys = this.#keys;
    // Rows mostly come in the order of creation.
    let low = 0;
    let high = keys.length;
    if (high > 0 && (keys[high - 1] ?? '') < key) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function keyOf(row: ListPlace): string {
  return `${row.createdAt}\0${row.id}`;
}
