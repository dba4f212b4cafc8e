/**
 * Takes the data of message events off a stream of server-sent events (HTML Living Standard, section 9.2.6).
 *
 * Ids and retry times are left out: what is read with it is one answer, not a subscription.
 */
export class SSEParser {
  readonly #decoder = new TextDecoder();
  readonly #onData: (data: string) => void;
  #afterReturn = false;
  #partial = '';
  #data: string[] = [];
  #event = '';

  constructor(onData: (data: string) => void) {
    this.#onData = onData;
  }

  push(chunk: Uint8Array): void {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === '') return;
    // The line was ended by the carriage return before.
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    this.#afterReturn = text.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    const last = lines.pop() ?? '';
    for (const line of lines) {
      this.#line(this.#partial + line);
      this.#partial = '';
    }
    this.#partial += last;
  }

  #line(line: string): void {
    if (line === '') {
      if (this.#data.length > 0 && ['', 'message'].includes(this.#event)) this.#onData(this.#data.join('\n'));
      this.#data = [];
      this.#event = '';
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    if (field === 'event') this.#event = value;
  }
}
