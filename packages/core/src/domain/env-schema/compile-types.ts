import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { Errors } from '@sinclair/typebox/errors';

/**
 * Compiles a schema into a function that gives the JSON pointers of what does not fit.
 *
 * Where the process may not make code of strings (`--disallow-code-generation-from-strings`), the schema is walked
 * instead: slower, with the same answer.
 */
export function compileTypes(schema: TSchema): (value: unknown) => readonly string[] {
  const fits = compiled(schema);
  return (value) => (fits(value) ? [] : [...Errors(schema, [], value)].map(({ path }) => path));
}

function compiled(schema: TSchema): (value: unknown) => boolean {
  try {
    const check = TypeCompiler.Compile(schema);
    return (value) => check.Check(value);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return () => false;
  }
}
