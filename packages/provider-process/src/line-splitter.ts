import { StringDecoder } from 'node:string_decoder';

const maxLineCharacters = 16_384;
// Enough to recognise a secret value that the cut goes through, escaped: systems take variables of 128 K bytes at most.
const beyondCut = 400_000;

/** Cuts a stream of bytes into lines of text. What a line has beyond 16 K characters is dropped. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #scrub: (text: string) => string;
  #rest = '';
  #isSkipping = false;

  /** @param scrub - replaces the known secret values of a text; used where a line is cut, since the cut may hide one */
  constructor(scrub: (text: string) => string) {
    this.#scrub = scrub;
  }

  /** Drops the line that has begun, for what follows of it is not known. */
  skipLine(): void {
    this.#rest = '';
    this.#isSkipping = true;
  }

  /** Takes bytes and gives the lines they complete. */
  push(chunk: Buffer): string[] {
    const pieces = this.#decoder.write(chunk).split('\n');
    if (this.#isSkipping) {
      if (pieces.length === 1) return [];
      pieces.shift();
      this.#isSkipping = false;
    }
    const last = pieces.pop() ?? '';
    const lines = pieces.map((piece) => {
      this.#add(piece);
      return this.#take();
    });
    this.#add(last);
    return lines;
  }

  /** Gives the line that was left without an end. */
  end(): string[] {
    const last = this.#decoder.end();
    if (!this.#isSkipping) this.#add(last);
    return this.#rest === '' ? [] : [this.#take()];
  }

  #add(text: string): void {
    this.#rest += text.slice(0, maxLineCharacters + beyondCut - this.#rest.length);
  }

  #take(): string {
    const line = this.#rest.replace(/\r$/u, '');
    this.#rest = '';
    if (line.length <= maxLineCharacters) return line;
    // As far as both agree, nothing depends on what is cut off.
    const head = this.#scrub(line.slice(0, maxLineCharacters));
    return `${commonStart(head, this.#scrub(line))} [cut]`;
  }
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return a.slice(0, length);
}
