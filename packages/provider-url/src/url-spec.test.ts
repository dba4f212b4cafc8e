import { type Issue, type JsonSpec, parseJsonSpec } from '@mcpinfra/core/plugin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { urlSpecSchema } from './url-spec.js';

const schemas = new Map<string, ZodType<JsonSpec>>([['url', urlSpecSchema]]);
const remote = { type: 'url', endpoint: 'https://example.com/mcp' };

function issuesOf(document: unknown): readonly Issue[] {
  const result = parseJsonSpec(document, schemas);
  return result.ok ? [] : result.issues;
}

const faults = (document: unknown) => issuesOf(document).map(({ path, code }) => `${path} ${code}`);

describe('a document of a server that runs elsewhere', () => {
  it.each([
    ['the least url', remote],
    [
      'a url as the field writes it',
      {
        ...remote,
        health_check: { path: '/health', interval: 30, timeout: 10 },
        timeout: 30,
        authentication: { type: 'bearer', token: 'secret_ref:instance_123:TOKEN' },
      },
    ],
    [
      'basic credentials',
      { ...remote, authentication: { type: 'basic', username: 'me', password: 'secret_ref:a:B' } },
    ],
    [
      'a header',
      { ...remote, authentication: { type: 'header', name: 'X-Api-Key', value: 'secret_ref:a:B' } },
    ],
    [
      'client credentials',
      {
        ...remote,
        authentication: {
          type: 'oauth2_client_credentials',
          token_url: 'https://login.example.com/token',
          client_id: 'me',
          client_secret: 'secret_ref:a:B',
          scope: 'mcp',
        },
      },
    ],
    ['a reference inside a header', { ...remote, headers: { 'X-Trace': 'id ${secret_ref:a:B}' } }],
  ])('%s is parsed as it is', (_, document) => {
    expect(parseJsonSpec(document, schemas)).toStrictEqual({ ok: true, spec: document });
  });

  it.each<[Record<string, unknown>, ...string[]]>([
    [{ type: 'url' }, '/endpoint required'],
    [{ type: 'url', endpoint: 'ftp://example.com' }, '/endpoint wrong_format'],
    [{ type: 'url', endpoint: 'https://me:pass@example.com' }, '/endpoint secret_in_clear'],
    [{ ...remote, timeout: '30' }, '/timeout wrong_type'],
    [{ ...remote, transport: 'stdio' }, '/transport not_a_choice'],
    [{ ...remote, headers: { Host: 'x' } }, '/headers/Host reserved'],
    [{ ...remote, headers: { 'a b': 'x' } }, '/headers/a b wrong_format'],
    [{ ...remote, headers: { A: 'x\r\nB: y' } }, '/headers/A wrong_format'],
    [{ ...remote, authentication: 'token' }, '/authentication wrong_type'],
    [{ ...remote, authentication: {} }, '/authentication/type required'],
    [{ ...remote, authentication: { type: 'beerer' } }, '/authentication/type not_a_choice'],
    [{ ...remote, authentication: { type: 'bearer' } }, '/authentication/token required'],
    [
      { ...remote, authentication: { type: 'bearer', tokn: 'x' } },
      '/authentication/token required',
      '/authentication/tokn unknown_field',
    ],
    [
      { ...remote, authentication: { type: 'bearer', token: 'x' }, headers: { authorization: 'y' } },
      '/headers conflict',
    ],
  ])('with the fault of %j is refused at its place', (document, ...expected) => {
    expect(faults(document)).toEqual(expected);
  });

  it('is never told with a value that may be a secret', () => {
    const canary = 'ghp_canary0123456789abcdefghijklmnop';
    const documents = [
      { ...remote, headers: { 'X Y': canary, Z: `${canary}\n` }, authentication: { type: canary } },
      { ...remote, authentication: { type: 'bearer', token: [canary] } },
      { type: 'url', endpoint: `https://x:${canary}@example.com` },
    ];
    for (const document of documents) {
      expect(issuesOf(document)).not.toEqual([]);
      expect(JSON.stringify(issuesOf(document))).not.toContain('canary');
    }
  });

  it('holds references in headers, authentication and behind the host of its endpoint only', () => {
    for (const endpoint of ['https://h/${secret_ref:a/b:C}/mcp', 'https://h/mcp?key=${secret_ref:a:B}&x=1'])
      expect(issuesOf({ ...remote, endpoint })).toEqual([]);
    for (const endpoint of [
      'https://${secret_ref:a/b:C}/mcp',
      'https://h:${secret_ref:a:B}/',
      'secret_ref:a:B',
    ])
      expect(issuesOf({ ...remote, endpoint })).toContainEqual(
        expect.objectContaining({ path: '/endpoint', code: 'misplaced_reference' }),
      );
    expect(faults({ ...remote, endpoint: 'https://h/mcp?key=secret_ref:a:B' })).toEqual([
      '/endpoint malformed_reference',
    ]);
    expect(faults({ ...remote, health_check: '/x?key=${secret_ref:a:B}' })).toEqual([
      '/health_check misplaced_reference',
    ]);
    const text = 'x ${secret_ref:a} y';
    expect(faults({ ...remote, headers: { A: text } })).toEqual(['/headers/A malformed_reference']);
    expect(faults({ ...remote, authentication: { type: 'bearer', token: text } })).toEqual([
      '/authentication/token malformed_reference',
    ]);
  });

  it('gives a spec that parses again to itself, or issues, whatever its fields hold', () => {
    const fields = fc.constantFrom(
      ...['endpoint', 'timeout', 'headers', 'authentication', 'health_check', 'labels', 'transport'],
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fields, fc.jsonValue({ maxDepth: 3 }))), (members) => {
        const result = parseJsonSpec({ ...remote, ...Object.fromEntries(members) }, schemas);
        if (result.ok) expect(parseJsonSpec(result.spec, schemas)).toEqual(result);
        else expect(result.issues.every(({ message }) => /[.?]$/u.test(message))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
