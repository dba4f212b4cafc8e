/** The streams of a container. */
export type StreamName = 'stdout' | 'stderr';

const headerBytes = 8;

/**
 * Takes apart what an engine writes of a container without a terminal: frames of one stream each, with a header of
 * eight bytes that says which, and how long it is (Docker Engine API, "Attach to a container", stream format).
 *
 * Payloads are handed on as they come, so that a frame of any length takes no memory.
 */
export class FrameDemultiplexer {
  readonly #onPayload: (stream: StreamName, bytes: Buffer, isEnd: boolean) => void;
  #header = Buffer.alloc(0);
  #stream: StreamName = 'stdout';
  #left = 0;

  /** @param onPayload - told of every piece, and whether its frame ends with it */
  constructor(onPayload: (stream: StreamName, bytes: Buffer, isEnd: boolean) => void) {
    this.#onPayload = onPayload;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left === 0) {
        const missing = headerBytes - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.#header.length < headerBytes) return;
        this.#stream = this.#header[0] === 2 ? 'stderr' : 'stdout';
        this.#left = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
        continue;
      }
      const payload = rest.subarray(0, this.#left);
      rest = rest.subarray(payload.length);
      this.#left -= payload.length;
      this.#onPayload(this.#stream, payload, this.#left === 0);
    }
  }
}
