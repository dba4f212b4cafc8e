import { pointer, type Issue, type IssueCode } from '../errors/issue.js';

/** How large a document may be. */
const documentLimits = Object.freeze({
  depth: 32,
  members: 5_000,
  textLength: 512 * 1024,
  keyLength: 256,
});

/** What came of copying. */
export interface PlainDocument {
  /** The copy, with `null` for what could not be copied; `undefined` where the document is too large to look at. */
  readonly value: unknown;
  readonly issues: readonly Issue[];
}

/**
 * Copies any value into plain JSON data and reports what is none: computed properties, instances of classes, functions,
 * numbers without a JSON form, keys that reach into prototypes. A member that is `undefined` counts as absent.
 *
 * Never throws and runs no code of the value but the traps of a proxy, so that all that follows works on harmless data.
 */
export function plainDocument(document: unknown): PlainDocument {
  const copying = new Copying();
  const value = copying.copy(document ?? null, []);
  const { excess, issues } = copying;
  if (excess === undefined) return { value, issues };
  return { value: undefined, issues: [{ path: '', code: 'too_large', message: excess }] };
}

type Path = readonly (string | number)[];

const pollutingKeys = new Set(['__proto__', 'constructor', 'prototype']);
// PostgreSQL's jsonb takes neither.
const unstorable = /[\0\p{Surrogate}]/u;

class Copying {
  readonly issues: Issue[] = [];
  /** What there is too much of; from then on everything copies to `null`, at once. */
  excess: string | undefined;
  #members = 0;
  #textLength = 0;

  copy(value: unknown, path: Path): unknown {
    this.#members += 1;
    if (this.#members > documentLimits.members) {
      this.excess ??= `A document has at most ${documentLimits.members} members.`;
    } else if (path.length > documentLimits.depth) {
      this.excess ??= `A document nests at most ${documentLimits.depth} deep, and holds nothing that holds itself.`;
    }
    if (this.excess !== undefined) return null;
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return this.#text(value, path) ? value : null;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (typeof value !== 'object') return this.#refuse(path, `a ${typeof value}`);
    try {
      if (Array.isArray(value)) return this.#list(value, path);
      if (isPlainObject(value)) return this.#object(value, path);
    } catch {
      return this.#refuse(path, 'an object that cannot be read');
    }
    return this.#refuse(path, 'an instance of a class');
  }

  #list(list: readonly unknown[], path: Path): unknown[] {
    const copy: unknown[] = [];
    for (let index = 0; index < list.length && this.excess === undefined; index++) {
      copy.push(this.#member(list, index, path) ?? this.copy(null, path));
    }
    return copy;
  }

  #object(object: object, path: Path): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(object)) {
      const value = this.#isKey(key, path) ? this.#member(object, key, path) : undefined;
      if (value !== undefined) copy[key] = value;
    }
    return copy;
  }

  /** Gives `undefined` for a member that is absent. */
  #member(parent: object, key: string | number, path: Path): unknown {
    const property = Object.getOwnPropertyDescriptor(parent, key);
    if (property && !('value' in property)) return this.#refuse([...path, key], 'a computed property');
    return property?.value === undefined ? undefined : this.copy(property.value, [...path, key]);
  }

  #isKey(key: string, path: Path): boolean {
    if (key.length > documentLimits.keyLength) {
      const message = `Expected keys of at most ${documentLimits.keyLength} characters, but one has ${key.length}.`;
      return this.#report(path, 'too_large', message);
    }
    if (pollutingKeys.has(key)) {
      return this.#report(
        [...path, key],
        'reserved',
        `The key "${key}" is reserved by JavaScript. Choose another.`,
      );
    }
    return this.#text(key, path);
  }

  #text(text: string, path: Path): boolean {
    this.#textLength += text.length;
    if (this.#textLength > documentLimits.textLength) {
      this.excess ??= `A document has at most ${documentLimits.textLength / 1024} KB of text.`;
    }
    if (this.excess !== undefined || !unstorable.test(text)) return true;
    const message =
      'Expected text without NUL characters and halves of surrogate pairs. Remove or encode them.';
    return this.#report(path, 'wrong_format', message);
  }

  #refuse(path: Path, what: string): null {
    const message = `Expected plain JSON, but got ${what}. Give an object, list, text, number, boolean or null.`;
    this.#report(path, 'wrong_type', message);
    return null;
  }

  #report(path: Path, code: IssueCode, message: string): false {
    this.issues.push({ path: pointer(...path), code, message });
    return false;
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Object.prototype of another realm counts as well: test runners give each test one of its own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
