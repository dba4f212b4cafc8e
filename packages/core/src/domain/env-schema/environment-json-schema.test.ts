import { expect, it } from 'vitest';
import { environmentJsonSchema } from './environment-json-schema.js';

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
