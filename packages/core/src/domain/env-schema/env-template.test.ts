import { describe, expect, it } from 'vitest';
import { compileEnvironment } from './compile-environment.js';
import type { EnvVariable } from './env-variable.js';
import { parseEnvSchema } from './parse-env-schema.js';

const authorization: EnvVariable = {
  name: 'AUTHORIZATION',
  value: 'Bearer {token}',
  variables: { token: { description: 'From the settings page.', required: true, secret: true } },
};
const address: EnvVariable = {
  name: 'ADDRESS',
  format: 'uri',
  default: 'https://{host}:{port}/{path}',
  variables: { host: {}, port: { type: 'integer', default: 443 }, path: { default: '' } },
};

function check(
  variables: readonly EnvVariable[],
  environment: Record<string, string>,
  plain: readonly string[] = [],
) {
  const { issues, ...rest } = compileEnvironment(variables, { allowUnknown: false }).check(environment, {
    plain,
  });
  return { ...rest, faults: issues.map(({ path, code }) => `${path} ${code}`) };
}

describe('a template', () => {
  it('is filled by entries of the environment, which are not handed over themselves', () => {
    expect(check([address], { host: 'example.com', path: 'mcp' })).toEqual({
      environment: { ADDRESS: 'https://example.com:443/mcp' },
      faults: [],
      secretsInClear: [],
    });
  });

  it('takes a reference as one within the text', () => {
    expect(check([authorization], { token: 'secret_ref:github:TOKEN' })).toEqual({
      environment: { AUTHORIZATION: 'Bearer ${secret_ref:github:TOKEN}' },
      faults: [],
      secretsInClear: [],
    });
  });

  it('leaves its variable out where something is missing that nobody has to give', () => {
    expect(check([address], { path: 'mcp' })).toMatchObject({ environment: {}, faults: [] });
  });

  it('demands what is required, or all of it where the variable is', () => {
    expect(check([authorization], {}).faults).toEqual(['/environment/token required']);
    expect(check([{ ...address, required: true }], {}).faults).toEqual(['/environment/host required']);
    expect(check([authorization], { token: '' }).faults).toEqual(['/environment/token required']);
  });

  it('of a default gives way to the variable itself', () => {
    const variables = [{ ...address, required: true }];
    expect(check(variables, { ADDRESS: 'http://other' })).toMatchObject({
      environment: { ADDRESS: 'http://other' },
      faults: [],
    });
  });

  it('of a fixed value does not', () => {
    const environment = { AUTHORIZATION: 'Bearer x', token: 'secret_ref:a:B' };
    expect(check([authorization], environment).faults).toEqual(['/environment/AUTHORIZATION conflict']);
  });

  it('is checked once it is filled, and the fault is at what was given', () => {
    expect(check([address], { host: 'a b' }).faults).toEqual(['/environment/host wrong_format']);
    expect(check([address], { host: 'a', port: 'x' }).faults).toEqual(['/environment/port wrong_type']);
    const level: EnvVariable = {
      name: 'LEVEL',
      choices: ['log-1', 'log-2'],
      value: 'log-{n}',
      variables: { n: {} },
    };
    expect(check([level], { n: '3' }).faults).toEqual(['/environment/n not_a_choice']);
    expect(check([level], { n: '2' })).toMatchObject({ environment: { LEVEL: 'log-2' }, faults: [] });
  });

  it('leaves braces alone that are no places of its own', () => {
    const json: EnvVariable = { name: 'JSON', value: '{"a":{},"b":"{b}","c":"{c}"}', variables: { b: {} } };
    expect(check([json], { b: '{c}' }).environment).toEqual({ JSON: '{"a":{},"b":"{c}","c":"{c}"}' });
  });

  it('shares a place of the same name with another', () => {
    const other: EnvVariable = { name: 'HEALTH', value: 'https://{host}/health', variables: { host: {} } };
    expect(check([address, other], { host: 'a' }).environment).toEqual({
      ADDRESS: 'https://a:443/',
      HEALTH: 'https://a/health',
    });
  });

  it('becomes no longer than a system takes', () => {
    const long: EnvVariable = { name: 'LONG', value: '{a}'.repeat(1_000), variables: { a: {} } };
    expect(check([long], { a: 'x'.repeat(500_000) }).faults).toEqual(['/environment/a too_large']);
    expect(check([long], { a: 'x'.repeat(100) }).faults).toEqual([]);
  });
});

describe('what fills a template', () => {
  it('is a secret where it says so, where its variable is one, or where its name tells', () => {
    expect(check([authorization], { token: 'x' }).secretsInClear).toEqual(['token']);
    const of = (variable: Partial<EnvVariable>, input = 'part') =>
      check([{ name: 'V', value: `x {${input}}`, variables: { [input]: {} }, ...variable }], { [input]: 'y' })
        .secretsInClear;
    expect(of({})).toEqual([]);
    expect(of({ secret: true })).toEqual(['part']);
    expect(of({}, 'api_key')).toEqual(['api_key']);
    expect(of({ name: 'API_KEY' })).toEqual(['part']);
    expect(of({ name: 'API_KEY', secret: false })).toEqual([]);
  });

  it('is a secret where only the whole is one', () => {
    const dsn: EnvVariable = {
      name: 'DSN',
      value: 'postgres://{user}:{word}@db',
      variables: { user: { secret: false }, word: {} },
    };
    const environment = { user: 'app', word: 'hunter2' };
    expect(check([dsn], environment).secretsInClear).toEqual(['word']);
    expect(check([dsn], environment, ['DSN']).secretsInClear).toEqual([]);
    expect(check([dsn], environment, ['word']).secretsInClear).toEqual([]);
    expect(check([dsn], { user: 'app', word: 'secret_ref:a:B' }).secretsInClear).toEqual([]);
  });
});

describe('parseEnvSchema', () => {
  const faults = (input: unknown) => {
    const result = parseEnvSchema(input);
    return result.ok ? [] : result.issues.map(({ path, code }) => `${path} ${code}`);
  };
  const of = (variables: unknown, rest: object = { value: 'x {a} {b}' }) =>
    faults([{ name: 'V', ...rest, variables }]);

  it('takes templates as they are', () => {
    const variables = [authorization, address];
    expect(parseEnvSchema(variables)).toStrictEqual({ ok: true, variables });
  });

  it.each<[string, string[], ...string[]]>([
    ['no text to be filled', of({ a: {} }, {}), '/0/variables conflict'],
    ['a place that the text does not have', of({ a: {}, c: {} }), '/0/variables conflict'],
    ['a name that no environment can have', of({ a: {}, '0': {} }), '/0/variables/0 wrong_format'],
    [
      'a name of the library',
      of({ MCP_INSTANCE_ID: {} }, { value: '{MCP_INSTANCE_ID}' }),
      '/0/variables/MCP_INSTANCE_ID reserved',
    ],
    ['an unknown field', of({ a: { value: 'x' } }), '/0/variables/a/value unknown_field'],
    [
      'a default of another type',
      of({ a: { type: 'integer', default: 'x' } }),
      '/0/variables/a/default wrong_type',
    ],
    ['a secret default', of({ a: { secret: true, default: 'x' } }), '/0/variables/a/default secret_in_clear'],
    [
      'a default of a part of a secret',
      of({ a: { default: 'x' } }, { secret: true, value: '{a}' }),
      '/0/variables secret_in_clear',
    ],
    [
      'defaults that make no valid value',
      of({ a: { default: 'x' } }, { type: 'integer', default: '{a}' }),
      '/0/default wrong_format',
    ],
    [
      'the name of another variable',
      faults([{ name: 'V', value: '{W}', variables: { W: {} } }, { name: 'W' }]),
      '/0/variables/W conflict',
    ],
    [
      'the same name in another meaning',
      faults([
        { name: 'V', value: '{a}', variables: { a: {} } },
        { name: 'W', value: '{a}', variables: { a: { type: 'integer' } } },
      ]),
      '/1/variables/a conflict',
    ],
    [
      'a variable that no document could give',
      faults([{ name: '__proto__' }, { name: 'constructor' }]),
      '/0/name reserved',
      '/1/name reserved',
    ],
  ])('refuses %s', (_what, found, ...expected) => {
    expect(found).toEqual(expected);
  });
});
