import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMergePatch, mergeSpec, patchSpec } from './merge-spec.js';

describe('mergeSpec', () => {
  it.each<[string, object, object, object]>([
    [
      'merges objects member by member',
      { resources: { memory_limit: '1g', pids_limit: 9 } },
      { resources: { pids_limit: 5 } },
      { resources: { memory_limit: '1g', pids_limit: 5 } },
    ],
    [
      'replaces lists and scalars',
      { command: ['a', 'b'], port: 1 },
      { command: ['c'], port: 2 },
      { command: ['c'], port: 2 },
    ],
    [
      'replaces a text by an object and back',
      { health_check: '/h' },
      { health_check: { interval: 5 } },
      { health_check: { interval: 5 } },
    ],
    ['lets null take a default away', { port: 80 }, { port: null }, { port: null }],
    ['leaves out what is undefined', { port: 80 }, { port: undefined }, { port: 80 }],
    ['takes cmd over command', { command: ['a'] }, { cmd: ['b'] }, { command: ['b'] }],
    ['takes command over cmd', { cmd: ['a'] }, { command: ['b'] }, { command: ['b'] }],
    [
      'leaves a conflict of the document itself to the parser',
      {},
      { cmd: ['a'], command: ['b'] },
      { cmd: ['a'], command: ['b'] },
    ],
    [
      'replaces an alternative as a whole',
      { authentication: { type: 'basic', username: 'a', password: 'b' } },
      { authentication: { type: 'bearer', token: 'c' } },
      { authentication: { type: 'bearer', token: 'c' } },
    ],
  ])('%s', (...[, base, over, merged]) => {
    expect(mergeSpec(base, over)).toStrictEqual(merged);
  });

  it('keeps the defaults for nothing and changes neither argument', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (base, over) => {
          const [before, after] = [JSON.stringify(base), JSON.stringify(over)];
          mergeSpec(base, over);
          expect([JSON.stringify(base), JSON.stringify(over)]).toEqual([before, after]);
          if (!('cmd' in base)) expect(JSON.stringify(mergeSpec(base, {}))).toBe(before);
        },
      ),
    );
  });
});

describe('applyMergePatch', () => {
  // RFC 7396, appendix A.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j by %j gives %j', (target, patch, result) => {
    expect(applyMergePatch(target, patch)).toStrictEqual(result);
  });

  const documents = fc.dictionary(fc.string(), fc.jsonValue());

  it('twice is the same as once', () => {
    fc.assert(
      fc.property(documents, documents, (target, patch) => {
        const once = applyMergePatch(target, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  it('by nothing changes nothing, and never an argument', () => {
    fc.assert(
      fc.property(documents, documents, (target, patch) => {
        expect(applyMergePatch(target, {})).toEqual(target);
        const before = JSON.stringify([target, patch]);
        applyMergePatch(target, patch);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });

  it('takes a key such as __proto__ for a member like any other', () => {
    const patch: unknown = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    );
    for (const result of [
      applyMergePatch({}, patch),
      mergeSpec({}, patch as object),
      mergeSpec(patch as object, patch as object),
    ]) {
      expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
      expect(Object.hasOwn(result as object, '__proto__')).toBe(true);
    }
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('ends for a patch that holds itself', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(() => [applyMergePatch({}, cyclic), mergeSpec(cyclic, cyclic)]).not.toThrow();
  });
});

describe('patchSpec', () => {
  it('takes cmd and command for one field', () => {
    expect(patchSpec({ command: ['a'] }, { cmd: ['b'] })).toEqual({ command: ['b'] });
    expect(patchSpec({ cmd: ['a'] }, { command: ['b'] })).toEqual({ command: ['b'] });
    expect(patchSpec({ command: ['a'] }, { cmd: null })).toEqual({});
  });
});
