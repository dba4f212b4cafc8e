import fc from 'fast-check';
import type { EnvTemplateVariable, EnvVariable } from '@mcpinfra/core';

// Among them what every object has, and what is something else elsewhere.
const name = fc.constantFrom(
  'A',
  'API_KEY',
  'b-c',
  '_',
  '.x',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
);
const input = fc.constantFrom('token', 'host', 'isPrototypeOf', 'toLocaleString');
const scalar = fc.oneof(
  fc.constantFrom(
    '',
    '1',
    'true',
    '0.5',
    'x',
    'secret_ref:a:B',
    "'",
    '\\',
    '`${a}`',
    'https://{host}:{token}',
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 5 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
);
const inputFields = {
  type: fc.constantFrom('string', 'integer', 'number', 'boolean'),
  description: fc.string(),
  required: fc.boolean(),
  secret: fc.boolean(),
  default: scalar,
  choices: fc.uniqueArray(scalar, { minLength: 1, maxLength: 3, selector: String }),
  placeholder: fc.string(),
  format: fc.constantFrom('uri', 'email', 'hostname', 'filepath', 'date-time', 'uuid'),
};
const template: fc.Arbitrary<EnvTemplateVariable> = fc.record(inputFields, {
  requiredKeys: [],
  noNullPrototype: true,
});
const plain: fc.Arbitrary<EnvVariable> = fc.record(
  { ...inputFields, name, value: scalar },
  { requiredKeys: ['name'], noNullPrototype: true },
);
const made: fc.Arbitrary<EnvVariable> = fc
  .tuple(name, input, fc.record({ first: template, required: fc.boolean(), fixed: fc.boolean() }))
  .map(([of, place, { first, required, fixed }]) => ({
    name: of,
    required,
    [fixed ? 'value' : 'default']: `x{${place}}{not}`,
    variables: { [place]: first },
  }));

/** Variables as a definition may declare them, of those that the given function takes together. */
export function arbitraryVariables(
  takes: (variables: readonly EnvVariable[]) => boolean,
): fc.Arbitrary<readonly EnvVariable[]> {
  const any = fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: made });
  return fc.array(any, { maxLength: 6 }).map((variables) => {
    // One after the other, since few lists of random ones are taken.
    const kept: EnvVariable[] = [];
    for (const variable of variables) if (takes([...kept, variable])) kept.push(variable);
    return kept;
  });
}

/** The texts of an environment, some of them for the variables of a list. */
export function environmentFor(
  variables: readonly EnvVariable[],
): fc.Arbitrary<Readonly<Record<string, string>>> {
  const names = variables.flatMap((variable) => [variable.name, ...Object.keys(variable.variables ?? {})]);
  const fitting = variables.flatMap(({ choices = [], default: fallback = 'x' }) =>
    [...choices, fallback].map(String),
  );
  const key = names.length === 0 ? name : fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, name);
  const text = fc.oneof(
    fc.constantFrom('', '1', 'true', 'https://a', 'secret_ref:a:B', ...fitting),
    fc.string(),
  );
  return fc.dictionary(key, text, { noNullPrototype: true });
}
