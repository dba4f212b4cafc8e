/** Names of colours. */
export type Colour = 'bold' | 'dim' | 'green' | 'yellow' | 'red';

const codes: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const clearLine = '\r\u001b[2K';

/** Prints lines and, on a terminal, one below them that is redrawn in place. */
export class Screen {
  readonly #stream = process.stdout;
  readonly #startedMs = performance.now();
  readonly #colours = this.#stream.isTTY && this.#stream.hasColors() && !isSet('NO_COLOR');
  readonly #redraws = this.#stream.isTTY && !isSet('CI') && process.env['TERM'] !== 'dumb';
  #progress: (() => string) | undefined;
  #frame = 0;

  /** Paints a text, where there are colours. */
  paint(text: string, colour: Colour): string {
    return this.#colours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
  }

  /** Prints a line above the progress. */
  line(text = ''): void {
    this.#stream.write(`${this.#progress && this.#redraws ? clearLine : ''}${text}\n`);
    this.#draw();
  }

  /** Prints what comes next. */
  step(text: string): void {
    this.line();
    this.line(this.paint(text, 'bold'));
  }

  /** Prints a line with the time since the start. */
  note(text: string): void {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(2);
    this.line(`${this.paint(`${seconds.padStart(6)} s`, 'dim')}  ${text}`);
  }

  /** Shows how far it is while something is waited for: in place on a terminal, elsewhere the lines have to do. */
  async during<T>(progress: () => string, work: Promise<T>): Promise<T> {
    if (!this.#redraws) return work;
    this.#progress = progress;
    const timer = setInterval(() => this.#draw(), 80);
    this.#draw();
    try {
      return await work;
    } finally {
      clearInterval(timer);
      this.#progress = undefined;
      this.#stream.write(clearLine);
    }
  }

  #draw(): void {
    if (!this.#progress || !this.#redraws) return;
    this.#frame = (this.#frame + 1) % frames.length;
    const spinner = this.paint(frames[this.#frame] ?? '', 'yellow');
    this.#stream.write(`${clearLine}${spinner} ${this.#progress().slice(0, this.#stream.columns - 3)}`);
  }
}

// NO_COLOR and CI count when they are set and not empty (no-color.org).
function isSet(name: string): boolean {
  return (process.env[name] ?? '') !== '';
}
