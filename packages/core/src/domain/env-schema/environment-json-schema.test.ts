import type { JsonSchemaType } from '@modelcontextprotocol/client';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/client/validators/cf-worker';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryVariables, environmentFor } from '../../../test/support/arbitrary-env-schema.js';
import { compileEnvironment } from './compile-environment.js';
import type { EnvVariable, EnvVariableType } from './env-variable.js';
import { environmentJsonSchema } from './environment-json-schema.js';
import { parseEnvSchema } from './parse-env-schema.js';
import { typedValue, type TypedValue } from './variable-value.js';

const envVariables = arbitraryVariables((variables) => parseEnvSchema(variables).ok);

it('makes a schema that a form can be made of', () => {
  const schema = environmentJsonSchema(
    [
      { name: 'API_KEY', description: 'The key.', required: true, secret: true },
      { name: 'TIMEOUT', type: 'integer', required: true, default: '30', choices: ['10', '30'] },
      { name: 'URL', format: 'uri', placeholder: 'https://api.github.com' },
      { name: 'HEADLESS', type: 'boolean', default: true },
      { name: 'MODE', value: 'fixed' },
    ],
    { allowUnknown: false },
  );
  expect(JSON.parse(JSON.stringify(schema))).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    required: ['API_KEY'],
    properties: {
      API_KEY: { type: 'string', title: 'API_KEY', description: 'The key.', minLength: 1, writeOnly: true },
      TIMEOUT: { type: 'integer', title: 'TIMEOUT', default: 30, enum: [10, 30] },
      URL: { type: 'string', title: 'URL', format: 'uri', examples: ['https://api.github.com'] },
      HEADLESS: { type: 'boolean', title: 'HEADLESS', default: true },
      MODE: { type: 'string', title: 'MODE', const: 'fixed', default: 'fixed' },
    },
  });
});

it('lets unknown variables be texts where they are allowed', () => {
  expect(JSON.parse(JSON.stringify(environmentJsonSchema([], { allowUnknown: true })))).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {},
    additionalProperties: { type: 'string' },
  });
});

it('asks for what fills a template, where the variable would be', () => {
  const variables: EnvVariable[] = [
    { name: 'FIRST' },
    {
      name: 'AUTHORIZATION',
      value: 'Bearer {token}',
      variables: { token: { required: true, secret: true } },
    },
    {
      name: 'ADDRESS',
      default: 'https://{host}',
      required: true,
      variables: { host: { placeholder: 'db' } },
    },
    { name: 'LAST', type: 'integer', placeholder: '8', default: '', required: true },
  ];
  const schema = environmentJsonSchema(variables, { allowUnknown: false });
  expect(Object.keys(schema.properties)).toEqual(['FIRST', 'token', 'host', 'ADDRESS', 'LAST']);
  expect(JSON.parse(JSON.stringify(schema))).toMatchObject({
    required: ['token', 'LAST'],
    properties: {
      token: { type: 'string', title: 'token', minLength: 1, writeOnly: true },
      host: { type: 'string', title: 'host', examples: ['db'] },
      ADDRESS: { type: 'string', title: 'ADDRESS' },
      LAST: { type: 'integer', title: 'LAST', examples: [8] },
    },
  });
  expect(JSON.stringify(schema)).not.toContain('{host}');
});

describe('to a validator of JSON Schema', () => {
  const validator = new CfWorkerJsonSchemaValidator({ draft: '2020-12', shortcircuit: false });
  const misfit = (schema: unknown, value: unknown) => {
    const result = validator.getValidator(schema as JsonSchemaType)(value);
    return result.valid ? undefined : result.errorMessage;
  };

  it('has defaults that fit', () => {
    fc.assert(
      fc.property(envVariables, (variables) => {
        const { properties } = environmentJsonSchema(variables, { allowUnknown: false });
        for (const [name, property] of Object.entries(properties)) {
          const fallback: unknown = property.default;
          if (fallback === undefined || fallback === '') continue;
          if (typeof fallback === 'string' && fallback.startsWith('secret_ref:')) continue;
          expect([name, misfit(property, fallback)]).toEqual([name, undefined]);
        }
      }),
    );
  });

  it('takes as a form what the check takes as texts', () => {
    const environments = envVariables.chain((variables) =>
      fc.tuple(fc.constant(variables), environmentFor(variables)),
    );
    fc.assert(
      fc.property(environments, ([variables, environment]) => {
        const { issues, secretsInClear } = compileEnvironment(variables, { allowUnknown: false }).check(
          environment,
          {
            plain: [],
          },
        );
        expect(secretsInClear.every((name) => Object.hasOwn(environment, name))).toBe(true);
        fc.pre(issues.length === 0);
        const schema = environmentJsonSchema(variables, { allowUnknown: false });
        const form = Object.entries(environment).flatMap(([name, text]): [string, TypedValue][] => {
          const field = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
          const value = typedValue({ type: field?.['type'] as EnvVariableType }, text);
          return text === '' || value === undefined || text.startsWith('secret_ref:') ? [] : [[name, value]];
        });
        const given = new Set(form.map(([name]) => name));
        const references = { ...schema, required: schema.required?.filter((name) => given.has(name)) ?? [] };
        // The validator takes what every object has for given.
        const bare: unknown = Object.assign(Object.create(null) as object, Object.fromEntries(form));
        expect(misfit(references, bare)).toBeUndefined();
        const demanded = schema.required?.filter((name) => !Object.hasOwn(environment, name)) ?? [];
        expect(demanded).toEqual([]);
      }),
    );
  });
});
