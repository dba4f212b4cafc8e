import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { containerSpecSchema } from './container-spec.js';
import type { JsonSpec } from './json-spec.js';
import { parseJsonSpec } from './parse-json-spec.js';

const schemas = new Map<string, ZodType<JsonSpec>>([['docker', containerSpecSchema]]);

const name = fc.constantFrom('A', 'LOG_LEVEL', 'API_KEY', 'discovery.type', '_x');
const reference = fc.constantFrom('secret_ref:instance_123:API_KEY', 'secret_ref:vault/team:a:b');
const environment = fc.dictionary(name, fc.oneof(fc.string({ unit: 'grapheme-ascii' }), reference), {
  maxKeys: 4,
});
const positive = fc.integer({ min: 1, max: 1_000 });
const port = fc.integer({ min: 1, max: 65_535 });
const argv = fc.array(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), { minLength: 1, maxLength: 4 });
const optional = { noNullPrototype: true } as const;

const everyType = {
  environment,
  lifecycle: fc.record(
    { start: fc.constantFrom('eager', 'on-demand'), idle_timeout: positive, max_restarts: positive },
    { requiredKeys: [], ...optional },
  ),
  labels: fc.dictionary(fc.constantFrom('team', 'a.b/c'), fc.constantFrom('', 'x'), {
    maxKeys: 2,
    ...optional,
  }),
  protocol_era: fc.constantFrom('legacy', 'auto', 'modern'),
  alias: fc.constantFrom('fs', 'a-1'),
};

const containerDocument = fc.record(
  {
    type: fc.constant('docker'),
    image: fc.constantFrom('mcp/filesystem', 'ghcr.io/a/b:1', 'localhost:5000/x@sha256:ab'),
    port,
    path: fc.constantFrom('/', '/mcp'),
    health_check: fc.oneof(
      fc.constant('/health'),
      fc.record(
        { interval: positive, timeout: fc.integer({ min: 1, max: 60 }) },
        { requiredKeys: [], ...optional },
      ),
    ),
    command: argv,
    resources: fc.record(
      { memory_limit: fc.constantFrom('256m', '1g'), pids_limit: positive },
      { requiredKeys: [], ...optional },
    ),
    volumes: fc.array(fc.record({ source: fc.constant('/srv'), target: fc.constant('/data') }, optional), {
      maxLength: 2,
    }),
    ...everyType,
  },
  { requiredKeys: ['type', 'image', 'port'], ...optional },
);

const validDocument: fc.Arbitrary<Record<string, unknown>> = containerDocument;

/** Whether every segment of a pointer but the last names a member, so that the last is one, or a missing one. */
function resolves(document: unknown, path: string): boolean {
  if (path === '') return true;
  const segments = path
    .slice(1)
    .split('/')
    .map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
  let value = document;
  for (const segment of segments.slice(0, -1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return false;
    value = Reflect.get(value, segment);
  }
  return typeof value === 'object' && value !== null;
}

function holds(document: unknown): void {
  const before = Object.getOwnPropertyNames(Object.prototype).join();
  const result = parseJsonSpec(document, schemas);
  expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
  if (result.ok) {
    // What was parsed is a document again, and the same one.
    expect(parseJsonSpec(result.spec, schemas)).toEqual(result);
    return;
  }
  expect(result.issues.length).toBeGreaterThan(0);
  for (const issue of result.issues) {
    expect(issue.message).toMatch(/[.?]$/u);
    expect(resolves(document, issue.path), issue.path).toBe(true);
  }
}

describe('parseJsonSpec', () => {
  it('gives a spec or issues that resolve for any JSON', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), holds), { numRuns: 500 });
  });

  it('gives a spec or issues that resolve for any value at all', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(fc.property(anything, holds), { numRuns: 500 });
  });

  it('gives a spec or issues that resolve for known fields with any values', () => {
    const fields = fc.constantFrom(
      'image',
      'port',
      'path',
      'environment',
      'headers',
      'authentication',
      'health_check',
      'command',
      'cmd',
      'resources',
      'isolation',
      'network',
      'volumes',
      'tmpfs',
      'session',
      'lifecycle',
      'labels',
      'registry',
      'endpoint',
      '__proto__',
      'constructor',
    );
    const document = fc
      .tuple(fc.constantFrom('docker', 'Docker'), fc.array(fc.tuple(fields, fc.jsonValue({ maxDepth: 3 }))))
      .map(([type, members]) => Object.fromEntries([['type', type], ...members]) as unknown);
    fc.assert(fc.property(document, holds), { numRuns: 1_000 });
  });

  it('takes what is valid as it is', () => {
    fc.assert(
      fc.property(validDocument, (document) => {
        expect(parseJsonSpec(document, schemas)).toEqual({ ok: true, spec: document });
      }),
      { numRuns: 500 },
    );
  });

  it('finds a member put anywhere into what is valid', () => {
    const bad = fc.constantFrom<[string, unknown]>(
      ['prot', 80],
      ['image ', 'x'],
      ['port', '80'],
      ['labels', 5],
      ['labels', { a: 'secret_ref:a:B' }],
      ['environment', { A: 1 }],
      ['type', 'Docker'],
      ['__proto__', {}],
    );
    fc.assert(
      fc.property(validDocument, bad, (document, [key, value]) => {
        const spoilt: unknown = Object.fromEntries([...Object.entries(document), [key, value]]);
        expect(parseJsonSpec(spoilt, schemas).ok).toBe(false);
        holds(spoilt);
      }),
      { numRuns: 500 },
    );
  });

  it('finds a member missing from, or replaced in, what is valid no worse', () => {
    fc.assert(
      fc.property(validDocument, fc.nat(), fc.jsonValue({ maxDepth: 2 }), (document, at, value) => {
        const entries = Object.entries(document);
        const index = at % entries.length;
        holds(Object.fromEntries(entries.filter((_, i) => i !== index)));
        holds(Object.fromEntries(entries.map(([key, old], i) => [key, i === index ? value : old])));
      }),
      { numRuns: 500 },
    );
  });
});
