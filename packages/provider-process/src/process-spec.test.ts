import { type Issue, type JsonSpec, parseJsonSpec } from '@mcpinfra/core/plugin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { processSpecSchema } from './process-spec.js';

const schemas = new Map<string, ZodType<JsonSpec>>([['process', processSpecSchema]]);
const local = { type: 'process', command: ['node', 'server.js'] };

function issuesOf(document: unknown): readonly Issue[] {
  const result = parseJsonSpec(document, schemas);
  return result.ok ? [] : result.issues;
}

describe('a document of a process', () => {
  it.each([
    ['the least process', local],
    ['a process on a free port', { ...local, port: 'auto', health_check: '/health' }],
  ])('%s is parsed as it is', (_, document) => {
    expect(parseJsonSpec(document, schemas)).toStrictEqual({ ok: true, spec: document });
  });

  it('takes cmd for command', () => {
    expect(parseJsonSpec({ type: 'process', cmd: ['node'] }, schemas)).toStrictEqual({
      ok: true,
      spec: { type: 'process', command: ['node'] },
    });
  });

  it.each<[Record<string, unknown>, ...string[]]>([
    [{ ...local, port: 0 }, '/port out_of_range'],
    [{ ...local, port: 65_536 }, '/port out_of_range'],
    [{ ...local, port: 80.5 }, '/port wrong_type'],
    [{ ...local, port: true }, '/port wrong_type'],
    [{ ...local, port: 'any' }, '/port not_a_choice'],
    [{ ...local, cmd: ['a'] }, '/cmd conflict'],
    [{ type: 'process' }, '/command required'],
    [{ type: 'process', command: [] }, '/command out_of_range'],
    [{ type: 'process', command: [''] }, '/command wrong_format'],
    [{ ...local, transport: 'http' }, '/transport conflict'],
    [{ ...local, transport: 'stdio', port: 'auto' }, '/transport conflict'],
    [{ ...local, transport: 'htp' }, '/transport not_a_choice'],
    [{ ...local, resources: { cpu_limit: '1' } }, '/resources/cpu_limit unsupported'],
    [{ ...local, port: 'auto', environment: { PORT: '1' } }, '/environment conflict'],
  ])('with the fault of %j is refused at its place', (document, ...expected) => {
    expect(issuesOf(document).map(({ path, code }) => `${path} ${code}`)).toEqual(expected);
  });

  it.each([
    [{ ...local, transport: 'http' }, 'or to auto'],
    [{ ...local, resources: { cpu_limit: '1' } }, 'without a control group'],
  ])('with the fault of %j says what to do', (document, sentence) => {
    expect(issuesOf(document).some((issue) => issue.message.includes(sentence))).toBe(true);
  });

  it('gives a spec that parses again to itself, or issues, whatever its fields hold', () => {
    const fields = fc.constantFrom(
      ...['command', 'cmd', 'port', 'path', 'environment', 'health_check', 'cwd', 'resources', 'session'],
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fields, fc.jsonValue({ maxDepth: 3 }))), (members) => {
        const result = parseJsonSpec({ ...local, ...Object.fromEntries(members) }, schemas);
        if (result.ok) expect(parseJsonSpec(result.spec, schemas)).toEqual(result);
        else expect(result.issues.every(({ message }) => /[.?]$/u.test(message))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
