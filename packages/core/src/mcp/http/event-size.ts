const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Measures the events of a stream (HTML Living Standard, section 9.2.6) without taking them apart. */
export class EventSize {
  #bytes = 0;
  #lineBytes = 0;
  #last: number | undefined;

  /** The size of the event that has not ended yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a piece of the stream, and gives how many events end in it. */
  push(piece: Uint8Array): number {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let ended = 0;
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, from)) {
      const lineBytes = this.#lineBytes + at - from;
      const before = at > 0 ? chunk[at - 1] : this.#last;
      const isBlank = lineBytes === 0 || (lineBytes === 1 && before === carriageReturn);
      this.#bytes = isBlank ? 0 : this.#bytes + at - from + 1;
      if (isBlank) ended += 1;
      this.#lineBytes = 0;
      from = at + 1;
    }
    this.#lineBytes += chunk.length - from;
    this.#bytes += chunk.length - from;
    this.#last = chunk.at(-1) ?? this.#last;
    return ended;
  }
}
