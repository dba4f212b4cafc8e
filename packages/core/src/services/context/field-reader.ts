import type { ZodType } from 'zod';
import { meantOr } from '../../domain/did-you-mean.js';
import { pointer, type Issue } from '../../domain/errors/issue.js';
import { isObject } from '../../domain/is-object.js';

/** Reads the fields of what a host gave, each by its schema, and keeps every fault. */
export class FieldReader<TFields extends Readonly<Record<string, ZodType>>> {
  /** What came; nothing where no object did. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly issues: Issue[] = [];
  readonly #fields: TFields;

  /** @param others - further fields, which are read elsewhere */
  constructor(input: unknown, fields: TFields, others: readonly string[] = []) {
    this.given = isObject(input) ? input : {};
    this.#fields = fields;
    const known = [...Object.keys(fields), ...others];
    for (const key of Object.keys(this.given)) {
      if (!known.includes(key)) this.issues.push(unknownField(key, known));
    }
  }

  /** The field as its schema gives it, or the fallback where it is absent or at fault. */
  read<T>(key: keyof TFields & string, fallback: T): T {
    const value = this.given[key];
    if (value === undefined) return fallback;
    const result = this.#fields[key]?.safeParse(value);
    if (result?.success === true) return result.data as T;
    for (const { path, message } of result?.error.issues ?? []) {
      this.issues.push({
        path: pointer(key, ...path.map(String)),
        code: 'wrong_type',
        message: `${message}.`,
      });
    }
    return fallback;
  }
}

/** The fault of a field that there is not. */
export function unknownField(key: string, known: readonly string[]): Issue {
  const message = `Unknown field. ${meantOr(key, known, `Known are: ${known.join(', ')}.`)}`;
  return { path: pointer(key), code: 'unknown_field', message };
}
