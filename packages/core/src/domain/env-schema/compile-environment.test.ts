import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileEnvironment } from './compile-environment.js';
import type { EnvVariable } from './env-variable.js';

function check(
  variables: readonly EnvVariable[],
  environment: Record<string, string>,
  { allowUnknown = false, plain = [] as readonly string[] } = {},
) {
  const { issues, ...rest } = compileEnvironment(variables, { allowUnknown }).check(environment, { plain });
  return { ...rest, faults: issues.map(({ path, code }) => `${path} ${code}`) };
}

const faults = (variable: Omit<EnvVariable, 'name'>, text: string) =>
  check([{ name: 'V', ...variable }], { V: text }).faults;

describe('an environment', () => {
  it('is completed by defaults and fixed values, as texts', () => {
    const variables: EnvVariable[] = [
      { name: 'TIMEOUT', type: 'integer', default: 30 },
      { name: 'HEADLESS', type: 'boolean', default: true },
      { name: 'ROOT', required: true, default: '/workspace' },
      { name: 'MODE', value: 'fixed' },
      { name: 'OPTIONAL' },
      { name: 'GIVEN', default: 'a' },
    ];
    expect(check(variables, { GIVEN: 'b' })).toEqual({
      environment: { GIVEN: 'b', TIMEOUT: '30', HEADLESS: 'true', ROOT: '/workspace', MODE: 'fixed' },
      faults: [],
      secretsInClear: [],
    });
  });

  it('has to give what is required and has no default', () => {
    const variables = [{ name: 'GITHUB_PERSONAL_ACCESS_TOKEN', required: true, secret: true }];
    const { issues } = compileEnvironment(variables, { allowUnknown: false }).check({}, { plain: [] });
    expect(issues).toEqual([
      {
        path: '/environment/GITHUB_PERSONAL_ACCESS_TOKEN',
        code: 'required',
        message:
          'GITHUB_PERSONAL_ACCESS_TOKEN is required and has no default. Give a reference such as secret_ref:<scope>:<KEY>.',
      },
    ]);
    expect(check([{ name: 'A', required: true }], { A: '' }).faults).toEqual(['/environment/A required']);
    expect(check([{ name: 'A', required: true, default: '' }], {}).faults).toEqual([
      '/environment/A required',
    ]);
  });

  it('takes an empty text for nothing where it cannot be a value', () => {
    expect(check([{ name: 'A', type: 'integer', default: 5 }], { A: '' })).toMatchObject({
      environment: { A: '5' },
      faults: [],
    });
    expect(check([{ name: 'A', type: 'integer' }], { A: '' }).environment).toEqual({});
    expect(check([{ name: 'A', default: 'x' }], { A: '' }).environment).toEqual({ A: '' });
    expect(check([{ name: 'A', default: 'x', required: true }], { A: '' }).environment).toEqual({ A: 'x' });
  });

  it('may not have unknown variables unless allowed', () => {
    const variables = [{ name: 'LOG_LEVEL' }];
    expect(check(variables, { LOG_LEVL: 'x' }).faults).toEqual(['/environment/LOG_LEVL unknown_variable']);
    expect(check(variables, { LOG_LEVL: 'x' }, { allowUnknown: true }).faults).toEqual([]);
    const { issues } = compileEnvironment(variables, { allowUnknown: false }).check(
      { LOG_LEVL: 'x' },
      { plain: [] },
    );
    expect(issues[0]?.message).toBe('The server declares no variable LOG_LEVL. Did you mean "LOG_LEVEL"?');
  });

  it('may not change a fixed value but may repeat it', () => {
    expect(faults({ value: 'a' }, 'a')).toEqual([]);
    expect(faults({ value: 'a' }, 'b')).toEqual(['/environment/V conflict']);
    expect(faults({ value: 'a' }, 'secret_ref:a:B')).toEqual(['/environment/V conflict']);
  });

  it('keeps names that could reach into prototypes apart', () => {
    expect(check([{ name: 'A' }], Object.fromEntries([['constructor', 'x']])).faults).toEqual([
      '/environment/constructor unknown_variable',
    ]);
  });
});

it('does not take for given what every object has', () => {
  const variables: EnvVariable[] = [
    { name: 'toString' },
    { name: 'valueOf', type: 'integer', required: true },
  ];
  expect(check(variables, {}).faults).toEqual(['/environment/valueOf required']);
  expect(check(variables, { valueOf: '1' })).toMatchObject({ environment: { valueOf: '1' }, faults: [] });
});

it('lists no more of what is known than can be read', () => {
  const choices = Array.from({ length: 1_000 }, (_, index) => `choice-${index}`);
  const variables = Array.from({ length: 100 }, (_, index): EnvVariable => ({ name: `V${index}`, choices }));
  const { issues } = compileEnvironment(variables, { allowUnknown: false }).check(
    { V1: 'x', other: 'x' },
    { plain: [] },
  );
  expect(issues).toHaveLength(2);
  for (const { message } of issues) expect(message.length).toBeLessThan(500);
});

it('is compiled once for the same variables, however often they are read', () => {
  const one = compileEnvironment([{ name: 'A', type: 'integer' }], { allowUnknown: false });
  expect(compileEnvironment([{ name: 'A', type: 'integer' }], { allowUnknown: false })).toBe(one);
  expect(compileEnvironment([{ name: 'A', type: 'integer' }], { allowUnknown: true })).not.toBe(one);
  expect(compileEnvironment([{ name: 'A' }], { allowUnknown: false })).not.toBe(one);
  for (let index = 0; index < 300; index++)
    compileEnvironment([{ name: `A${index}` }], { allowUnknown: false });
  expect(compileEnvironment([{ name: 'A', type: 'integer' }], { allowUnknown: false })).not.toBe(one);
});

describe('a value', () => {
  it.each<[Omit<EnvVariable, 'name'>, ...string[]]>([
    [{ type: 'integer' }, '30', '-1', '+5', '007'],
    [{ type: 'number' }, '30', '-0.5', '.5', '1e3', '1.'],
    [{ type: 'boolean' }, 'true', 'FALSE', '1', '0'],
    [{ type: 'string' }, '30', 'x'],
    [{}, 'x'],
    [{ choices: ['a', 'b'] }, 'a'],
    [{ type: 'integer', choices: ['10', 30] }, '10', '30'],
    [{ format: 'uri' }, 'https://example.com/x', 'mailto:a@b'],
    [{ format: 'email' }, 'a@example.com'],
    [{ format: 'hostname' }, 'db', 'db.example.com'],
    [{ format: 'filepath' }, '/data', 'C:\\data'],
    [{ format: 'date-time' }, '2025-11-25T10:00:00Z', '2025-11-25T10:00:00.5+01:00'],
    [{ format: 'uuid' }, 'b2c3d4e5-f6a7-890b-cdef-234567890bcd'],
    [{ type: 'integer', choices: [1] }, 'secret_ref:a:B'],
    [{ type: 'boolean' }, '${secret_ref:a:B}'],
    [{ format: 'uri' }, 'postgres://app:${secret_ref:a:B}@db'],
  ])('of %j is taken', (variable, ...texts) => {
    for (const text of texts) expect([text, ...faults(variable, text)]).toEqual([text]);
  });

  it.each<[Omit<EnvVariable, 'name'>, string, ...string[]]>([
    [{ type: 'integer' }, 'wrong_type', '1e3', '1.0', '0x10', ' 1', 'x', '9007199254740993', '1_000'],
    [{ type: 'number' }, 'wrong_type', 'x', 'NaN', 'Infinity', '1e999', '0x10', '1,5'],
    [{ type: 'boolean' }, 'wrong_type', 'yes', '2', 'on'],
    [{ choices: ['a', 'b'] }, 'not_a_choice', 'c', 'A'],
    [{ type: 'integer', choices: [10, 30] }, 'not_a_choice', '20', 'x'],
    [{ format: 'uri' }, 'wrong_format', 'example.com', 'https://a b'],
    [{ format: 'email' }, 'wrong_format', 'me'],
    [{ format: 'hostname' }, 'wrong_format', 'a b', '-a', 'a..b'],
    [{ format: 'date-time' }, 'wrong_format', '2025-11-25', '2025-13-25T10:00:00Z'],
    [{ format: 'uuid' }, 'wrong_format', 'x'],
  ])('of %j is refused as %s', (variable, code, ...texts) => {
    for (const text of texts)
      expect([text, ...faults(variable, text)]).toEqual([text, `/environment/V ${code}`]);
  });

  it('is never quoted', () => {
    const variables: EnvVariable[] = [
      { name: 'A', type: 'integer' },
      { name: 'B', choices: ['x'] },
      { name: 'C', value: 'x' },
    ];
    const environment = { A: 'canary', B: 'canary', C: 'canary', D: 'canary' };
    const { issues } = compileEnvironment(variables, { allowUnknown: false }).check(environment, {
      plain: [],
    });
    expect(issues).toHaveLength(4);
    expect(JSON.stringify(issues)).not.toContain('canary');
  });

  it('of any text and any type is taken or refused with its name', () => {
    const type = fc.constantFrom(
      'string' as const,
      'integer' as const,
      'number' as const,
      'boolean' as const,
    );
    fc.assert(
      fc.property(type, fc.string(), (of, text) => {
        const result = check([{ name: 'A', type: of }], { A: text });
        expect(result.faults.every((fault) => fault.startsWith('/environment/A '))).toBe(true);
        if (of === 'string') expect(result.faults).toEqual([]);
      }),
    );
  });
});

describe('a secret in clear', () => {
  const clear = (
    variable: EnvVariable | undefined,
    environment: Record<string, string>,
    plain: readonly string[] = [],
  ) => check(variable ? [variable] : [], environment, { allowUnknown: true, plain }).secretsInClear;

  it('is found where the variable is declared a secret', () => {
    expect(clear({ name: 'DSN', secret: true }, { DSN: 'x' })).toEqual(['DSN']);
  });

  it('is found where nothing is declared but the name or value tells', () => {
    expect(clear(undefined, { API_KEY: 'x', OTHER: 'postgres://a:b@c', LOG_LEVEL: 'debug' })).toEqual([
      'API_KEY',
      'OTHER',
    ]);
    expect(clear({ name: 'GITHUB_TOKEN', required: true }, { GITHUB_TOKEN: 'x' })).toEqual(['GITHUB_TOKEN']);
  });

  it.each<[string, EnvVariable | undefined, Record<string, string>, readonly string[]]>([
    ['that is a reference', { name: 'A', secret: true }, { A: 'secret_ref:a:B' }, []],
    ['that contains a reference', { name: 'A', secret: true }, { A: 'x${secret_ref:a:B}' }, []],
    ['that is empty', { name: 'A', secret: true }, { A: '' }, []],
    ['that is to stay plain', { name: 'A', secret: true }, { A: 'x' }, ['A']],
    ['that is to stay plain and is not declared', undefined, { PUBLIC_KEY: 'x' }, ['PUBLIC_KEY']],
    ['that is declared to be none', { name: 'SORT_KEY', secret: false }, { SORT_KEY: 'name' }, []],
  ])('is not one %s', (...[, variable, environment, plain]) => {
    expect(clear(variable, environment, plain)).toEqual([]);
  });
});
