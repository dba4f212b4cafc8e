import { inspect } from 'node:util';

const redacted = '[secret]';

/**
 * A value that prints as `[secret]` in every way Node can print, and cannot be cloned by accident.
 *
 * Only {@link Secret.reveal} gives the value; call it at the last moment, where the value is handed over.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    // A function-valued own property makes structuredClone and postMessage refuse the object.
    Object.defineProperty(this, 'uncloneable', { value: () => redacted, enumerable: true });
    Object.freeze(this);
  }

  /** Gives the value itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [Symbol.toPrimitive](): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }

  get [Symbol.toStringTag](): string {
    return redacted;
  }
}

/** The text of a value that may be a secret, for handing it over. */
export function revealText(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}
