import { isObject, kindOf, looksLikeSecret, meantOr, pointer } from '@mcpinfra/core/plugin';
import type { ImportReport } from './import-report.js';

/** A value of a plain document together with where it stands, read by what is expected there. */
export class DocumentNode {
  readonly value: unknown;
  readonly path: string;
  readonly report: ImportReport;

  constructor(value: unknown, path: string, report: ImportReport) {
    this.value = value;
    this.path = path;
    this.report = report;
  }

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** The member of the first name that there is; absent where there is none. */
  at(...names: readonly string[]): DocumentNode {
    const { value } = this;
    const name = isObject(value) ? names.find((candidate) => Object.hasOwn(value, candidate)) : undefined;
    if (name === undefined) return new DocumentNode(undefined, this.path, this.report);
    return new DocumentNode(Reflect.get(value as object, name), this.path + pointer(name), this.report);
  }

  /** The text here; anything else is a fault. */
  text(longest = 4_096): string | undefined {
    const { value } = this;
    if (this.isAbsent) return undefined;
    if (typeof value !== 'string') {
      this.#expected('text');
      return undefined;
    }
    if (value.length <= longest) return value;
    this.report.fault(this.path, 'too_large', `Expected text of at most ${String(longest)} characters.`);
    return undefined;
  }

  /** The text here, where a number or a boolean counts as its text: people leave out the quotes. */
  scalar(): string | undefined {
    const { value } = this;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : this.text(65_536);
  }

  /** Text that has to be there: its absence is a fault of what it should be in. */
  needed(name: string, longest?: number): string {
    const node = this.at(name);
    const text = node.text(longest)?.trim();
    if (node.isAbsent || text === '') this.fault('required', `Expected ${JSON.stringify(name)} in here.`);
    return text ?? '';
  }

  /** Whether it says true; texts count. */
  flag(): boolean {
    return this.value === true || this.value === 'true';
  }

  /** The places of a list; anything else is a fault. */
  items(): readonly DocumentNode[] {
    const { value } = this;
    if (this.isAbsent) return [];
    if (!Array.isArray(value)) {
      this.#expected('a list');
      return [];
    }
    return value.map(
      (item: unknown, index) => new DocumentNode(item, this.path + pointer(index), this.report),
    );
  }

  /** The places of an object by their names; anything else is a fault. */
  entries(): readonly (readonly [name: string, node: DocumentNode])[] {
    const { value } = this;
    if (this.isAbsent) return [];
    if (!isObject(value)) {
      this.#expected('an object');
      return [];
    }
    return Object.keys(value).map((name) => [name, this.at(name)]);
  }

  /** Says of each member that is not listed that it is left behind. */
  leaveOthers(known: readonly string[]): void {
    for (const [name, node] of this.entries()) {
      if (known.includes(name)) continue;
      const hint = meantOr(name, known, '');
      node.leave(`The field ${JSON.stringify(name.slice(0, 60))} has no counterpart here. ${hint}`.trimEnd());
    }
  }

  leave(message: string): void {
    this.report.leave(this.path, message);
  }

  /** Notes that the text here is a secret in clear, where it goes by such a name or looks like one. */
  noteSecret(name: string, text: string | undefined): void {
    if (text !== undefined && looksLikeSecret(name, text)) this.noteSecretHere();
  }

  /** Notes that there is a secret in clear here. */
  noteSecretHere(): void {
    this.report.secretsInClear.push(this.path);
  }

  fault(code: Parameters<ImportReport['fault']>[1], message: string): void {
    this.report.fault(this.path, code, message);
  }

  #expected(what: string): void {
    this.fault('wrong_type', `Expected ${what}, but got ${kindOf(this.value)}.`);
  }
}
