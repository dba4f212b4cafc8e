import { Type, type SchemaOptions, type TObject, type TSchema } from '@sinclair/typebox';
import type { EnvVariable } from './env-variable.js';
import { typedValue } from './variable-value.js';

/** How unknown variables are taken. */
export interface EnvironmentSchemaOptions {
  /** Whether an environment may have variables that are not declared. */
  readonly allowUnknown: boolean;
}

/**
 * Gives the JSON Schema (2020-12) of an environment, from which a user interface can make a form.
 *
 * Values have the types of their variables; `required` are those that have neither a default nor a fixed value, and
 * secrets are `writeOnly`.
 */
export function environmentJsonSchema(
  variables: readonly EnvVariable[],
  options: EnvironmentSchemaOptions,
): TObject {
  const properties = variables.map((variable): [string, TSchema] => {
    const schema = formField(variable);
    return [variable.name, isDemanded(variable) ? schema : Type.Optional(schema)];
  });
  return Type.Object(Object.fromEntries(properties), {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    additionalProperties: options.allowUnknown ? Type.String() : false,
  });
}

/** Tells whether an instance has to give a value itself. */
export function isDemanded(variable: EnvVariable): boolean {
  const hasDefault = variable.default !== undefined && variable.default !== '';
  return variable.required === true && !hasDefault && variable.value === undefined;
}

function formField(variable: EnvVariable): TSchema {
  const { name, description, choices, format, placeholder, secret, value } = variable;
  const typed = (given: string | number | boolean) => typedValue(variable, String(given)) ?? given;
  const fallback = variable.default;
  const annotations: SchemaOptions = {
    title: name,
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: typed(fallback) }),
    ...(placeholder !== undefined && { examples: [placeholder] }),
    ...(choices && { enum: choices.map(typed) }),
    ...(format !== undefined && { format }),
    ...(secret === true && { writeOnly: true }),
  };
  if (value !== undefined) return Type.Literal(typed(value), { ...annotations, default: typed(value) });
  switch (variable.type ?? 'string') {
    case 'string':
      return Type.String({ ...annotations, ...(isDemanded(variable) && { minLength: 1 }) });
    case 'integer':
      return Type.Integer(annotations);
    case 'number':
      return Type.Number(annotations);
    case 'boolean':
      return Type.Boolean(annotations);
  }
}
