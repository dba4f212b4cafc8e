import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEnvSchema } from './parse-env-schema.js';

const faults = (input: unknown) => {
  const result = parseEnvSchema(input);
  return result.ok ? [] : result.issues.map(({ path, code }) => `${path} ${code}`);
};

describe('parseEnvSchema', () => {
  it('takes variables as they are', () => {
    const variables = [
      { name: 'API_KEY', type: 'string', description: 'The key.', required: true, secret: true },
      { name: 'TIMEOUT', type: 'integer', default: '30', choices: ['10', 30], placeholder: '10' },
      { name: 'RATIO', type: 'number', default: 0.5 },
      { name: 'HEADLESS', type: 'boolean', default: true },
      { name: 'URL', format: 'uri', default: 'https://api.github.com' },
      { name: 'MODE', value: 'fixed' },
      { name: 'TOKEN', secret: true, default: 'secret_ref:shared:TOKEN' },
      { name: 'PORT', default: 8080 },
    ];
    expect(parseEnvSchema(variables)).toStrictEqual({ ok: true, variables });
  });

  it('takes null for what is optional as absent', () => {
    expect(parseEnvSchema([{ name: 'A', type: null, default: null }])).toStrictEqual({
      ok: true,
      variables: [{ name: 'A' }],
    });
  });

  it.each<[unknown, ...string[]]>([
    [null, ' wrong_type'],
    [{ API_KEY: 'string' }, ' wrong_type'],
    [['API_KEY'], '/0 wrong_type'],
    [[{}], '/0/name required'],
    [[{ name: '1A' }], '/0/name wrong_format'],
    [[{ name: 'MCP_INSTANCE_ID' }], '/0/name reserved'],
    [[{ name: 'A' }, { name: 'B' }, { name: 'A' }], '/2/name conflict'],
    [[{ name: 'A', type: 'int' }], '/0/type not_a_choice'],
    [[{ name: 'A', secrt: true }], '/0/secrt unknown_field'],
    [[{ name: 'A', type: 'integer', default: 'x' }], '/0/default wrong_type'],
    [[{ name: 'A', type: 'integer', default: 1.5 }], '/0/default wrong_type'],
    [[{ name: 'A', type: 'boolean', default: 'yes' }], '/0/default wrong_type'],
    [[{ name: 'A', type: 'number', value: 'x' }], '/0/value wrong_type'],
    [[{ name: 'A', type: 'integer', choices: ['a'] }], '/0/choices wrong_type'],
    [[{ name: 'A', choices: [] }], '/0/choices out_of_range'],
    [[{ name: 'A', choices: ['1', 1] }], '/0/choices conflict'],
    [[{ name: 'A', choices: ['a', 'b'], default: 'c' }], '/0/default not_a_choice'],
    [[{ name: 'A', value: 'x', default: 'x' }], '/0/default conflict'],
    [[{ name: 'A', format: 'uri', default: 'no uri' }], '/0/default wrong_format'],
    [[{ name: 'A', type: 'integer', format: 'uri' }], '/0/format conflict'],
    [[{ name: 'A', secret: true, default: 'x' }], '/0/default secret_in_clear'],
    [[{ name: 'A', secret: true, value: 'x' }], '/0/value secret_in_clear'],
    [[{ name: 'A', default: {} }], '/0/default wrong_type'],
    [JSON.parse('[{"name":"A","__proto__":{}}]'), '/0/__proto__ reserved'],
  ])('finds what is wrong with %j', (input, ...expected) => {
    expect(faults(input)).toEqual(expected);
  });

  it('reports everything at once', () => {
    const input = [
      { name: 'A', type: 'integer', default: 'x', colour: 1 },
      { type: 'bool' },
      { name: 'A', format: 'url' },
    ];
    expect(faults(input)).toEqual([
      '/0/colour unknown_field',
      '/0/default wrong_type',
      '/1/name required',
      '/1/type not_a_choice',
      '/2/format not_a_choice',
      '/2/name conflict',
    ]);
  });

  it('gives variables or issues for any JSON', () => {
    const member = fc.constantFrom(
      'name',
      'type',
      'default',
      'choices',
      'value',
      'secret',
      'format',
      'required',
    );
    const variable = fc.dictionary(member, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(variable)), (input) => {
        const result = parseEnvSchema(input);
        expect(result.ok || result.issues.length > 0).toBe(true);
      }),
    );
  });
});
