import { type Issue, MCPInfraError } from '@mcpinfra/core/plugin';
import { publicDocument, publicDocuments } from '@mcpinfra/tools';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillDraft } from './drafts/fill-draft.js';
import { readServers } from './read-servers.js';
import { parseText } from './documents/parse-text.js';

/** Reads a document as far as that goes; whatever is thrown is an error of ours, whose places exist in the document. */
function survives(document: unknown): void {
  try {
    const read = readServers(document, { volumes: true });
    for (const { path } of read.notCarried) expect(exists(document, path), path).toBe(true);
    for (const path of read.secretsInClear) expect(exists(document, path), path).toBe(true);
    for (const draft of read.servers.flat()) {
      for (const values of [undefined, ['v'], ['', 'w']]) {
        const { own, issues, missing } = fillDraft(draft, () => values);
        for (const { path } of [...issues, ...missing]) expect(exists(document, path), path).toBe(true);
        const { command = [] } = own as { readonly command?: readonly unknown[] };
        expect(command.every((argument) => typeof argument === 'string')).toBe(true);
      }
    }
  } catch (error) {
    if (!MCPInfraError.isInstance(error)) throw error;
    expect(error.code).toBe('INVALID_SPEC');
    const issues = error.details['issues'] as readonly Issue[];
    expect(issues.length).toBeGreaterThan(0);
    for (const { path } of issues) expect(exists(document, path), path).toBe(true);
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
}

function exists(document: unknown, path: string): boolean {
  let at = document;
  for (const segment of path.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = Reflect.get(at, key) as unknown;
  }
  return true;
}

const oddities = fc.constantFrom<unknown>(
  ...[
    null,
    0,
    -1,
    true,
    '',
    ' ',
    '-',
    '--',
    '=',
    'run',
    '${',
    '${}',
    '${input:}',
    '${A:-}',
    '{}',
    '{x}',
    '{{x|into}}',
    '{{}}',
  ],
  ...[
    '-e',
    '-e=',
    '--env',
    'docker',
    'A=',
    'http://',
    'http://x:y@z',
    'secret_ref:',
    '${secret_ref:a}',
    '\u0000',
    '\uD800',
  ],
  ...[[], {}, [[]], [{}], { name: 'x' }, ['run'], { a: 1 }],
);
const keys = fc.constantFrom(
  ...[
    '__proto__',
    'constructor',
    'polluted',
    'toString',
    '',
    '/',
    '~',
    'name',
    'type',
    'args',
    'env',
    'url',
    'value',
  ],
  ...['packages', 'variables', 'transport', 'headers', 'default', 'inputs', 'config', 'run'],
);

interface Mutation {
  readonly where: number;
  readonly what: 'replace' | 'remove' | 'add' | 'repeat';
  readonly key: string;
  readonly value: unknown;
}

/** Changes one place of a document, chosen among all there are. */
function mutated(document: unknown, { where, what, key, value }: Mutation): unknown {
  const copy = structuredClone(document);
  const places: { readonly parent: object; readonly key: string }[] = [];
  const walk = (parent: unknown): void => {
    if (typeof parent !== 'object' || parent === null) return;
    for (const [name, member] of Object.entries(parent)) {
      places.push({ parent, key: name });
      walk(member);
    }
  };
  walk(copy);
  const place = places[where % Math.max(1, places.length)];
  if (!place) return value;
  const { parent } = place;
  const member: unknown = Reflect.get(parent, place.key);
  const set = (object: object, name: string, to: unknown) =>
    Object.defineProperty(object, name, { value: to, enumerable: true, configurable: true, writable: true });
  if (what === 'replace') set(parent, place.key, value);
  else if (what === 'remove' && Array.isArray(parent)) parent.splice(Number(place.key), 1);
  else if (what === 'remove') Reflect.deleteProperty(parent, place.key);
  else if (what === 'repeat' && Array.isArray(parent)) (parent as unknown[]).push(structuredClone(member));
  else if (typeof member === 'object' && member !== null && !Array.isArray(member)) set(member, key, value);
  return copy;
}

const mutations = fc.array(
  fc.record({
    where: fc.nat(5_000),
    what: fc.constantFrom('replace', 'remove', 'add', 'repeat'),
    key: keys,
    value: fc.oneof(oddities, fc.jsonValue()),
  }),
  { minLength: 1, maxLength: 6 },
);

describe('an import', () => {
  it('survives real documents with anything changed in them', () => {
    const documents = publicDocuments.map((path) => parseText(publicDocument(path)));
    fc.assert(
      fc.property(fc.constantFrom(...documents), mutations, (document, changes) => {
        survives(changes.reduce<unknown>((changed, change) => mutated(changed, change), document));
      }),
      { numRuns: 1_500 },
    );
  }, 60_000);

  it('survives values of any kind below the keys of each format', () => {
    const member = fc.oneof(
      oddities,
      fc.jsonValue({ maxDepth: 3 }),
      fc.dictionary(keys, fc.oneof(oddities, fc.jsonValue())),
    );
    const roots = fc.constantFrom(
      'mcpServers',
      'servers',
      'providers',
      'packages',
      'remotes',
      'image',
      'run',
      'config',
      'name',
    );
    fc.assert(
      fc.property(
        fc.dictionary(roots, fc.oneof(member, fc.array(member), fc.dictionary(keys, member))),
        survives,
      ),
      {
        numRuns: 1_500,
      },
    );
  }, 60_000);

  it('survives text that was cut, doubled or scrambled', () => {
    const texts = publicDocuments.map(publicDocument);
    const edits = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), fc.string({ maxLength: 8 })),
      {
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(fc.constantFrom(...texts), edits, (text, changes) => {
        const edited = changes.reduce((before, [at, removed, added]) => {
          const start = Math.floor(at * before.length);
          return before.slice(0, start) + added + before.slice(start + removed);
        }, text);
        let document: unknown;
        try {
          document = parseText(edited);
        } catch (error) {
          expect(MCPInfraError.isInstance(error)).toBe(true);
          return;
        }
        survives(document);
      }),
      { numRuns: 600 },
    );
  }, 60_000);

  it('ends, whatever is repeated', () => {
    const pieces = [
      '[',
      '{',
      '"',
      '/*',
      '/* ',
      '//',
      '- ',
      '? ',
      ': ',
      '&a ',
      '*a ',
      '!',
      '|',
      '> ',
      '{{ ',
      '${',
      '\\',
      '\n',
      '\t',
      "'",
      '-\n ',
      'a:\n',
      ' a',
      '\u2028',
      '{"a":',
      '[{',
    ];
    for (const piece of pieces) {
      for (const start of ['', '{"mcpServers":', 'a: ']) {
        const text = start + piece.repeat(Math.floor(40_000 / piece.length));
        try {
          survives(parseText(text));
        } catch (error) {
          expect(MCPInfraError.isInstance(error), JSON.stringify(piece)).toBe(true);
        }
      }
    }
    const many = Array.from({ length: 30_000 }, (_, i) => `${String(i)}:`).join('\n');
    expect(() => {
      readServers(parseText(many), { volumes: false });
    }).toThrow('5000 members');
  }, 60_000);
});
