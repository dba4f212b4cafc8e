import { publicDocument, publicDocuments } from '@mcpinfra/tools';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryVariables, environmentFor } from '../../../test/support/arbitrary-env-schema.js';
import { compileEnvironment } from './compile-environment.js';
import { environmentJsonSchema } from './environment-json-schema.js';
import { parseEnvSchema } from './parse-env-schema.js';

const envVariables = arbitraryVariables((variables) => parseEnvSchema(variables).ok);

/** Whether a place is there, or at least the object from which it is missing. */
function exists(document: unknown, path: string, code: string): boolean {
  let at = document;
  const segments = path.split('/').slice(1, code === 'required' ? -1 : undefined);
  for (const segment of segments) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = Reflect.get(at, key) as unknown;
  }
  return true;
}

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const members = () => prototypes.map((prototype) => Object.getOwnPropertyNames(prototype).join());
const untouched = members();

/** Parses anything as variables, and where it is some, uses them; whatever is refused is at a place that exists. */
function survives(input: unknown, environment: Readonly<Record<string, string>>): boolean {
  const result = parseEnvSchema(input);
  if (!result.ok) {
    expect(result.issues.length).toBeGreaterThan(0);
    for (const { path, code } of result.issues)
      expect([path, exists(input, path, code)]).toEqual([path, true]);
  } else {
    for (const allowUnknown of [true, false]) {
      JSON.stringify(environmentJsonSchema(result.variables, { allowUnknown }));
      const { issues } = compileEnvironment(result.variables, { allowUnknown }).check(environment, {
        plain: [],
      });
      for (const { path, code } of issues)
        expect([path, exists({ environment }, path, code)]).toEqual([path, true]);
    }
  }
  expect(members()).toEqual(untouched);
  return result.ok;
}

const oddNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'name',
];
const oddity = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    ...oddNames,
    '{a}',
    '{__proto__}',
    '${secret_ref:',
    'secret_ref:a:B',
    Infinity,
    undefined,
  ),
  fc.anything(),
);

/** Copies a document with some of its parts replaced, renamed or doubled. */
function mutated(document: unknown, next: (choices: number) => number, odd: () => unknown): unknown {
  const chance = next(30);
  if (chance === 0) return odd();
  if (Array.isArray(document)) {
    const copies = document.map((member: unknown) => mutated(member, next, odd));
    return chance === 1 ? [...copies, ...copies] : copies;
  }
  if (typeof document !== 'object' || document === null) return document;
  const entries = Object.entries(document).map(([key, member]): [string, unknown] => {
    const renamed = next(20) === 0 ? (oddNames[next(oddNames.length)] ?? key) : key;
    return [renamed, mutated(member, next, odd)];
  });
  return Object.fromEntries(entries);
}

/** Every list of variables of a document of a registry, in the words of an `envSchema`. */
function declaredVariables(document: unknown): unknown[] {
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).flatMap(([key, member]: [string, unknown]) => {
    if (key !== 'environmentVariables' && key !== 'environment_variables' && key !== 'headers')
      return declaredVariables(member);
    const text = JSON.stringify(member)
      .replaceAll('"isRequired"', '"required"')
      .replaceAll('"isSecret"', '"secret"');
    return [JSON.parse(text) as unknown];
  });
}

describe('env_schema', () => {
  it('survives anything', () => {
    const environment = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(...oddNames)), fc.string());
    fc.assert(
      fc.property(oddity, environment, (input, texts) => {
        survives(input, texts);
      }),
    );
  });

  it('survives what real documents become when they are damaged', () => {
    const documents = publicDocuments
      .filter((path) => path.startsWith('registry/'))
      .flatMap((path) => declaredVariables(JSON.parse(publicDocument(path))));
    expect(documents.length).toBeGreaterThan(3);
    let taken = 0;
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.gen(), (document, gen) => {
        const next = (choices: number) => gen(fc.nat, { max: choices - 1 });
        const input = mutated(document, next, () => gen(() => oddity));
        const environment = gen(() => environmentFor([]));
        if (survives(input, environment)) taken += 1;
      }),
      { numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('takes only what was declared, whatever every object has', () => {
    const both = envVariables.chain((variables) =>
      fc.tuple(fc.constant(variables), environmentFor(variables)),
    );
    fc.assert(
      fc.property(both, ([variables, environment]) => {
        expect(survives(variables, environment)).toBe(true);
        const check = compileEnvironment(variables, { allowUnknown: true }).check(environment, { plain: [] });
        const names = new Set([...Object.keys(environment), ...variables.map(({ name }) => name)]);
        expect(Object.keys(check.environment).filter((name) => !names.has(name))).toEqual([]);
        expect(Object.values(check.environment).every((text) => typeof text === 'string')).toBe(true);
      }),
    );
  });

  it('ends soon with as many names as documents have', () => {
    const variables = Array.from({ length: 1_000 }, (_, index) => ({
      name: `VARIABLE_${'x'.repeat(50)}${index}`,
    }));
    const environment = Object.fromEntries(
      Array.from({ length: 4_000 }, (_, index) => [`VARIABLE_${'y'.repeat(50)}${index}`, 'x']),
    );
    const { issues } = compileEnvironment(variables, { allowUnknown: false }).check(environment, {
      plain: [],
    });
    expect(issues).toHaveLength(4_000);
    expect(JSON.stringify(issues).length).toBeLessThan(4_000_000);
  });
});
