import { didYouMean } from '../did-you-mean.js';
import { type MCPInfraError, mcpError } from '../errors/mcpinfra-error.js';
import { isObject } from '../is-object.js';
import { parseByteSize } from '../json-spec/byte-size.js';

const fleetName = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/iu;

/** What a number must be at least and may be at most. */
export interface NumberBounds {
  /** @defaultValue 1 */
  readonly least?: number | undefined;
  /** @defaultValue no bound */
  readonly most?: number | undefined;
}

/**
 * Checks the options that a host gives to a factory: hosts in plain JavaScript have no compiler to tell them.
 *
 * Every check takes the option's name and what came, returns that as what it was checked to be, and throws
 * `INVALID_OPTIONS` in a sentence that names the factory and the option, what was expected and what came.
 *
 * @example
 * ```ts
 * const check = new OptionChecks('myProvider');
 * check.known(options, ['socket', 'timeoutMs']);
 * const timeoutMs = check.whole('timeoutMs', options.timeoutMs ?? 5_000);
 * ```
 */
export class OptionChecks {
  readonly #factory: string;

  /** @param factory - the name of the function that takes the options */
  constructor(factory: string) {
    this.#factory = factory;
  }

  /**
   * Takes options that have no other keys than these.
   *
   * @param within - the option whose value they are, unless they are the factory's own
   */
  known(options: unknown, keys: readonly string[], within?: string): void {
    if (!isObject(options)) throw this.unexpected(within ?? 'its options', 'an object', options);
    const unknown = Object.keys(options).find((key) => !keys.includes(key));
    if (unknown === undefined) return;
    const meant = didYouMean(unknown, keys);
    const hint = meant === undefined ? `it takes ${keys.join(', ')}` : `did you mean "${meant}"?`;
    const sentence = `has no option ${JSON.stringify(unknown)}; ${hint}`;
    throw within === undefined
      ? mcpError('INVALID_OPTIONS', `${this.#factory} ${ended(sentence)}`)
      : this.wrong(`${within} ${sentence}`);
  }

  /** Takes a text that is not empty. */
  text(name: string, value: unknown): string {
    if (typeof value === 'string' && value.trim() !== '') return value;
    throw this.unexpected(name, 'a text that is not empty', value);
  }

  /** Takes a list of texts that are not empty. */
  texts(name: string, value: unknown): readonly string[] {
    if (!Array.isArray(value)) throw this.unexpected(name, 'a list of texts', value);
    const texts: readonly unknown[] = value;
    return texts.map((text, index) => this.text(`${name}[${index}]`, text));
  }

  /** Takes one of a few texts. */
  oneOf<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.unexpected(name, choices.map((choice) => JSON.stringify(choice)).join(' or '), value);
  }

  /** Takes a whole number; with no bounds from 1 on. */
  whole(name: string, value: unknown, { least = 1, most }: NumberBounds = {}): number {
    if (Number.isSafeInteger(value) && inBounds(Number(value), { least, most })) return Number(value);
    throw this.unexpected(name, `a whole number ${bounds({ least, most })}`, value);
  }

  /** Takes a number above 0. */
  above0(name: string, value: unknown): number {
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw this.unexpected(name, 'a number above 0', value);
  }

  /** Takes a yes or no. */
  flag(name: string, value: unknown): boolean {
    if (typeof value === 'boolean') return value;
    throw this.unexpected(name, 'true or false', value);
  }

  /** Takes an object that has these methods, such as a plugin. */
  withMethods<T extends object>(name: string, value: T, methods: readonly (keyof T & string)[]): T {
    const given: unknown = value;
    const missing = isObject(given) ? methods.find((method) => typeof given[method] !== 'function') : '';
    if (missing === undefined) return value;
    const expected = `an object with the methods ${methods.join(', ')}`;
    if (missing === '') throw this.unexpected(name, expected, given);
    throw this.wrong(`expected ${name} to be ${expected}; ${missing} is missing`);
  }

  /** Takes a size such as `512m`, and returns its bytes. */
  size(name: string, value: unknown): number {
    const bytes = typeof value === 'string' ? parseByteSize(value) : undefined;
    if (bytes !== undefined && bytes > 0) return bytes;
    throw this.unexpected(name, 'a size such as "512m"', value);
  }

  /** Takes the name of a fleet. */
  fleet(name: string, value: unknown): string {
    if (typeof value === 'string' && fleetName.test(value)) return value;
    throw this.unexpected(name, '1 to 63 letters, digits, ".", "_" and "-"', value);
  }

  /** The error for an option that came as something else than was expected. It shows what came: never give it a secret. */
  unexpected(name: string, expected: string, came: unknown): MCPInfraError {
    return this.wrong(`expected ${name} to be ${expected}, got ${shown(came)}`);
  }

  /** The error for options that are wrong in another way; the sentence follows the factory's name and a colon. */
  wrong(sentence: string, options?: { readonly cause: unknown }): MCPInfraError {
    return mcpError('INVALID_OPTIONS', `${this.#factory}: ${ended(sentence)}`, options);
  }
}

function inBounds(value: number, { least = -Infinity, most = Infinity }: NumberBounds): boolean {
  return value >= least && value <= most;
}

function bounds({ least, most }: NumberBounds): string {
  return most === undefined ? `from ${String(least)} on` : `from ${String(least)} to ${most}`;
}

/** Objects are shown by what they are: what is in them may be a secret. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return 'a list';
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return String(value);
  return typeof value === 'function' ? 'a function' : 'an object';
}

function ended(sentence: string): string {
  return sentence.endsWith('?') ? sentence : `${sentence}.`;
}
