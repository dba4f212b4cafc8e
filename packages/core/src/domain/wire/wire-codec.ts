import type { z } from 'zod';
import { pointer } from '../errors/issue.js';
import { mcpError } from '../errors/mcpinfra-error.js';
import { keyRenaming, wireName } from './key-renaming.js';
import { toWireSchema } from './to-wire-schema.js';

/** Translates between a type of this library and the JSON in which it leaves the process. */
export interface WireCodec<T> {
  /** Checks the TypeScript form. */
  readonly schema: z.ZodType<T>;
  /** Checks the JSON form; what it does not know is left out. */
  readonly wireSchema: z.ZodType;
  /** Gives the JSON form; fields that are `undefined` are left out. */
  encode(value: T): unknown;
  /** Reads the JSON form. @throws `INVALID_ARGUMENT` with the path of each fault */
  decode(json: unknown): T;
}

/** How a codec is made. */
export interface WireCodecOptions<T> {
  /** What is translated, for messages: `instance`. */
  readonly what: string;
  readonly schema: z.ZodType<T>;
  /** Names the fields of the outermost object. @defaultValue snake_case */
  readonly outerName?: ((key: string) => string) | undefined;
}

/** Makes the codec of a type from its schema. */
export function wireCodec<T>({ what, schema, outerName = wireName }: WireCodecOptions<T>): WireCodec<T> {
  const wireSchema = toWireSchema(schema, outerName);
  const encode = keyRenaming(schema, { to: 'wire', outerName });
  const decode = keyRenaming(schema, { to: 'typescript', outerName });
  return {
    schema,
    wireSchema,
    encode,
    decode: (json) => {
      const parsed = wireSchema.safeParse(json);
      if (!parsed.success) throw refusal(what, parsed.error);
      return decode(parsed.data) as T;
    },
  };
}

function refusal(what: string, error: z.ZodError): Error {
  const issues = error.issues.map(({ path, message }) => ({ path: pointer(...path.map(String)), message }));
  const lines = issues.map(({ path, message }) => `${path === '' ? '(document)' : path}: ${message}`);
  return mcpError('INVALID_ARGUMENT', `This is not the JSON form of a ${what}.\n  ${lines.join('\n  ')}`, {
    details: { issues },
  });
}
