import { Transform, type TransformCallback } from 'node:stream';

/** Opens and shuts what waits at it. */
export class Gate {
  #opened: Promise<void> | undefined;
  #open: () => void = () => undefined;

  shut(): void {
    this.#opened ??= new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#opened = undefined;
    this.#open();
  }

  /** Resolves when it is open: `undefined` when it is so now. */
  passing(): Promise<void> | undefined {
    return this.#opened?.then(() => this.passing());
  }
}

/** Lets bytes through, in their order, each chunk when it may pass. */
export class Valve extends Transform {
  readonly #mayPass: (chunk: Buffer | null) => Promise<void> | undefined;

  /** @param mayPass - asked for each chunk, and with `null` for the end; `undefined` lets it through at once */
  constructor(mayPass: (chunk: Buffer | null) => Promise<void> | undefined) {
    super();
    this.#mayPass = mayPass;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const wait = this.#mayPass(chunk);
    if (wait) void wait.then(() => done(null, chunk));
    else done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const wait = this.#mayPass(null);
    if (wait) void wait.then(() => done());
    else done();
  }
}
