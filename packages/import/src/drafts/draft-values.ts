import type { ImportInput, Template } from './server-draft.js';

/** The values given for an input; `undefined` for none. */
export type ValuesOf = (input: ImportInput) => readonly string[] | undefined;

/** What is put into a draft: the values that are given, and defaults where none are. */
export class DraftValues {
  /** The values given for an input, without its default. */
  readonly given: ValuesOf;

  constructor(given: ValuesOf) {
    this.given = given;
  }

  of(input: ImportInput): readonly string[] | undefined {
    const { default: fallback } = input;
    return this.given(input) ?? (typeof fallback === 'string' ? [fallback] : fallback);
  }

  /** The text of a template, with the nth values of its repeated inputs; `undefined` where a value is not there. */
  fill(template: Template, nth = 0): string | undefined {
    const parts = template.map((part) =>
      typeof part === 'string' ? part : this.of(part)?.[part.repeated === true ? nth : 0],
    );
    return parts.includes(undefined) ? undefined : parts.join('');
  }
}
