import { describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { remote } from '../../testing/fake-kinds.fixture.js';
import { containerSpecSchema } from '../json-spec/container-spec.js';
import { isEnvironmentName } from '../json-spec/environment-issues.js';
import type { JsonSpec } from '../json-spec/json-spec.js';
import { parseJsonSpec } from '../json-spec/parse-json-spec.js';
import { looksLikeSecret } from '../secrets/looks-like-secret.js';
import { createScrubber } from '../secrets/scrub.js';
import { renderReferences, scanReferences } from '../secrets/secret-reference.js';
import { compileEnvironment } from './compile-environment.js';
import { parseEnvSchema } from './parse-env-schema.js';
import { hasFormat, typedValue } from './variable-value.js';

// Almost what a pattern looks for, again and again, so that one that goes back over its text does so from each place. A
// pattern whose time grows with the square of the length does not end within the deadline of a test.
const length = 100_000;
const deadlineMs = 120_000;
const pieces = [
  'a',
  '0',
  '1.',
  '-',
  '.',
  ' ',
  '\n',
  '/',
  ':',
  '@',
  '=',
  '_',
  '{',
  '}',
  '{a',
  '{a}',
  '${',
  'a.',
  'a-',
  'a@',
  'a:',
  'a/',
  '/..',
  '../',
  'key',
  'token',
  'Key',
  'secret_ref:',
  '${secret_ref:',
  '${secret_ref:a',
  'secret_ref:a:',
  'a:/',
  'a://',
  'a://a:',
  'eyJ',
  'eyJaaaaaaaa.',
  'eyJ-',
  'sk-',
  'sk-aa-',
  'xoxb-',
  'ghp_',
  'npm_',
  'AIza',
  'AKIA',
  '-----BEGIN ',
  'CAP_',
  'io.mcpinfra.',
  '0-',
  '00:',
  '\u017f',
  '\u212a',
  '\0',
] as const;
const texts = pieces.flatMap((piece) => {
  const long = piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
  return [long, `${long}!`, `https://${long}!`];
});

const formats = ['uri', 'email', 'hostname', 'filepath', 'date-time', 'uuid'] as const;
const types = ['string', 'integer', 'number', 'boolean'] as const;
const template = { name: 'V', value: '{a} {b}', variables: { a: {}, b: { default: 'x' } } };

describe('a long text of any kind', () => {
  it(
    'is read as a value in a time that grows with its length',
    () => {
      for (const text of texts) {
        for (const format of formats) expect(typeof hasFormat({ format }, text)).toBe('boolean');
        for (const type of types)
          expect(typedValue({ type }, text)).toBe(type === 'string' ? text : undefined);
        expect(isEnvironmentName(text)).toBe(false);
      }
    },
    deadlineMs,
  );

  it(
    'is searched for secrets and references in a time that grows with its length',
    () => {
      const scrub = createScrubber(['canary', 'aaaaab', ':/:/:@']);
      for (const text of texts) {
        expect(typeof looksLikeSecret('V', text)).toBe('boolean');
        expect(typeof looksLikeSecret(text, 'x')).toBe('boolean');
        expect(Array.isArray(scanReferences(text).references)).toBe(true);
        expect(typeof renderReferences(text, () => 'x')).toBe('string');
        expect(typeof scrub(text)).toBe('string');
      }
    },
    deadlineMs,
  );

  it(
    'is checked as part of an environment in a time that grows with its length',
    () => {
      const check = compileEnvironment([{ name: 'U', format: 'uri' }, template], { allowUnknown: false });
      for (const text of texts) {
        const { environment } = check.check({ a: text, U: text, [text]: 'x' }, { plain: [] });
        expect(environment['U']).toBe(text);
        expect(parseEnvSchema([{ ...template, value: text }]).ok).toBe(false);
      }
    },
    deadlineMs,
  );

  it.each([
    [
      'docker',
      containerSpecSchema,
      ['image', 'path', 'host_header', 'health_check', 'user', 'workdir', 'alias'],
    ],
    ['remote', remote.of.specSchema, ['endpoint', 'health_check']],
  ] as const)(
    'is read in every field of a %s document in such a time',
    (type, schema, fields) => {
      const schemas = new Map<string, ZodType<JsonSpec>>([[type, schema]]);
      // Short enough for all of a document to be looked at.
      for (const text of texts.map((long) => long.slice(-40_000))) {
        const flat = Object.fromEntries(fields.map((field) => [field, text]));
        const nested = {
          resources: { memory_limit: text, cpu_limit: text },
          network: { allow: [text] },
          headers: { [text.slice(0, 200)]: text },
          labels: { [text.slice(0, 200)]: text },
        };
        const parsed = parseJsonSpec({ type, ...flat, ...nested }, schemas);
        const codes = parsed.ok ? [] : parsed.issues.map(({ code, path }) => path === '' && code);
        expect(codes.length).toBeGreaterThan(0);
        expect(codes).not.toContain('too_large');
      }
    },
    deadlineMs,
  );
});
