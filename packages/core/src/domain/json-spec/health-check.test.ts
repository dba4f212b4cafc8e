import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveHealthCheck, resolveHealthUrl } from './health-check.js';
import type { JsonSpec } from './json-spec.js';

const silent = {
  type: 'mcp',
  path: '',
  interval: 30,
  timeout: 10,
  retries: 3,
  startPeriod: 0,
  canaryTool: null,
};

describe('resolveHealthCheck', () => {
  it.each<[JsonSpec['health_check'], object]>([
    [undefined, silent],
    [{}, silent],
    ['/health', { ...silent, type: 'http', path: '/health' }],
    [{ path: 'health' }, { ...silent, type: 'http', path: 'health' }],
    [{ type: 'http' }, { ...silent, type: 'http', path: '/health' }],
    [{ type: 'tcp' }, { ...silent, type: 'tcp' }],
    // As in rows from when there was no limit.
    [{ timeout: 86_400 }, { ...silent, timeout: 60 }],
    [
      { type: 'none', interval: 5 },
      { ...silent, type: 'none', interval: 5 },
    ],
    [
      { interval: 1, timeout: 2, retries: 4, start_period: 8, canary_tool: 'ping' },
      { type: 'mcp', path: '', interval: 1, timeout: 2, retries: 4, startPeriod: 8, canaryTool: 'ping' },
    ],
  ])('fills %j', (given, resolved) => {
    expect(resolveHealthCheck({ type: 'x', health_check: given })).toEqual(resolved);
  });
});

describe('resolveHealthUrl', () => {
  it.each([
    ['http://host:1/mcp', '/health', 'http://host:1/health'],
    ['http://host:1/mcp', 'health', 'http://host:1/mcp/health'],
    ['http://host:1/mcp/', 'health', 'http://host:1/mcp/health'],
    ['http://host:1', 'health', 'http://host:1/health'],
    ['http://host:1/mcp?key=1#top', '/health', 'http://host:1/health'],
    ['http://host:1/mcp', '/health?deep=1', 'http://host:1/health?deep=1'],
    ['http://host:1/mcp', '', 'http://host:1/mcp'],
    ['http://host:1/mcp', '//evil.example/x', 'http://host:1//evil.example/x'],
    ['http://host:1/a/b', '../../c', 'http://host:1/c'],
  ])('of %s with %j is %s', (endpoint, path, url) => {
    expect(resolveHealthUrl(endpoint, path)).toBe(url);
  });

  it('stays on the origin whatever the path holds', () => {
    const endpoint = fc.constantFrom('http://host:1/mcp', 'https://example.com', 'https://[::1]:8443/a/b/');
    const path = fc.string({
      unit: fc.constantFrom('/', '\\', '.', ':', '?', '#', '@', '%', ' ', 'a'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(endpoint, fc.oneof(path, fc.constant('http://evil.example/x')), (url, given) => {
        expect(new URL(resolveHealthUrl(url, given)).origin).toBe(new URL(url).origin);
      }),
    );
  });
});
