import { meantOr, mcpError } from '@mcpinfra/core/plugin';
import type { ImportInput } from './drafts/server-draft.js';

/** A value for an input; a list for one that takes several. */
export type ImportValue = string | number | boolean | readonly string[];

/** The values a caller gives, by the name of the input or by `<instance>/<name>` for one instance only. */
export class ImportValues {
  readonly #given: ReadonlyMap<string, readonly string[]>;

  /** @throws `INVALID_ARGUMENT` */
  constructor(values: unknown) {
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw mcpError(
        'INVALID_ARGUMENT',
        'Expected values to be an object of names and texts, such as { API_KEY: "abc" }.',
      );
    this.#given = new Map(
      Object.entries(values).flatMap(([name, value]: [string, unknown]) => {
        if (value === undefined) return [];
        const list: readonly unknown[] = Array.isArray(value) ? value : [value];
        if (!list.every((one) => ['string', 'number', 'boolean'].includes(typeof one))) {
          const message = `The value for ${JSON.stringify(name.slice(0, 100))} must be text, a number, a boolean or a list of texts.`;
          throw mcpError('INVALID_ARGUMENT', message);
        }
        return [[name, list.map(String)]];
      }),
    );
  }

  /** The values of an input of an instance; an empty text counts as none. */
  of(instance: string, { name }: ImportInput): readonly string[] | undefined {
    const values = this.#given.get(`${instance}/${name}`) ?? this.#given.get(name);
    return values === undefined || values.every((value) => value === '') ? undefined : values;
  }

  /** Refuses values that nothing asks for. @throws `INVALID_ARGUMENT` */
  refuseOthers(inputs: Iterable<{ readonly instance: string; readonly name: string }>): void {
    const known = new Set([...inputs].flatMap(({ instance, name }) => [name, `${instance}/${name}`]));
    const other = [...this.#given.keys()].find((name) => !known.has(name));
    if (other === undefined) return;
    const names = [...known].filter((name) => !name.includes('/')).slice(0, 20);
    const hint = meantOr(other, known, `It takes: ${names.join(', ') || 'no values'}.`);
    throw mcpError(
      'INVALID_ARGUMENT',
      `Nothing in the document asks for ${JSON.stringify(other.slice(0, 100))}. ${hint}`,
    );
  }
}
