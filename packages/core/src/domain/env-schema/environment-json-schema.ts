import { Type, type SchemaOptions, type TObject, type TSchema } from '@sinclair/typebox';
import { allInputs, templateInputs, templateOf } from './env-template.js';
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
 * Values have the types of their variables, in their order; `required` are those that have neither a default nor a fixed
 * value, and secrets are `writeOnly`. What fills a template stands where its variable would: before one that can be
 * given as a whole, and instead of one that cannot.
 */
export function environmentJsonSchema(
  variables: readonly EnvVariable[],
  options: EnvironmentSchemaOptions,
): TObject {
  const properties = formVariables(variables).map((variable): [string, TSchema] => {
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

/** What an instance can give: variables, and the inputs of those that have a template. */
function formVariables(variables: readonly EnvVariable[]): readonly EnvVariable[] {
  const inputs = allInputs(variables.filter((variable) => variable.value !== undefined));
  const optional = allInputs(variables);
  return variables.flatMap((variable) => {
    if (templateOf(variable) === undefined) return [variable];
    const own = templateInputs(variable).map(({ name, ...rest }): EnvVariable => {
      const demanded = inputs.get(name)?.required === true;
      return { ...rest, ...optional.get(name), name, required: demanded };
    });
    // Given as a whole, a variable needs no inputs; its template is no value that a form could begin with.
    return variable.value === undefined
      ? [...own, { ...variable, default: undefined, required: false }]
      : own;
  });
}

function formField(variable: EnvVariable): TSchema {
  const { name, description, choices, format, placeholder, secret, value } = variable;
  const typed = (given: string | number | boolean) => typedValue(variable, String(given)) ?? given;
  // An empty text does not satisfy what is required.
  const fallback = variable.default === '' && variable.required === true ? undefined : variable.default;
  const annotations: SchemaOptions = {
    title: name,
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: typed(fallback) }),
    ...(placeholder !== undefined && { examples: [typed(placeholder)] }),
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
