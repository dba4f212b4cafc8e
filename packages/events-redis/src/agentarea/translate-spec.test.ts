import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replacingPatch } from './replacing-patch.js';
import { translateSpec } from './translate-spec.js';

const instanceId = '2f1b6f60-6f0a-4a51-9b1e-0c8d4c1f2a3b';

function translated(jsonSpec: unknown, legacySecretScope: string | null = null) {
  const result = translateSpec(jsonSpec, { instanceId, legacySecretScope });
  return result.ok ? result : expect.fail(JSON.stringify(result.issues));
}

describe('a document of the platform', () => {
  it('is one of a container, its cmd the command, its empty fields left out', () => {
    const { jsonSpec, notes } = translated({
      type: 'docker',
      image: 'nginx:alpine',
      port: 80,
      cmd: ['nginx', '-g', 'daemon off;'],
      resources: { memory_limit: '128m', cpu_limit: '0.5' },
      health_check: null,
      environment: { NGINX_PORT: '80' },
    });
    expect(jsonSpec).toEqual({
      type: 'docker',
      image: 'nginx:alpine',
      port: 80,
      command: ['nginx', '-g', 'daemon off;'],
      resources: { memory_limit: '128m', cpu_limit: '0.5' },
      environment: { NGINX_PORT: '80' },
    });
    expect(notes).toEqual([]);
  });

  it('keeps cmd beside command, for core to refuse', () => {
    expect(translated({ type: 'docker', image: 'a', cmd: ['a'], command: ['b'] }).jsonSpec).toMatchObject({
      cmd: ['a'],
      command: ['b'],
    });
    expect(translated({ type: 'docker', image: 'a', cmd: null, command: ['b'] }).jsonSpec).toEqual({
      type: 'docker',
      image: 'a',
      command: ['b'],
    });
  });

  it('without a type is one of a container, or of a URL where it has no image, and says so', () => {
    const container = translated({ image: 'mcp/fetch', port: 8000 });
    expect(container.jsonSpec.type).toBe('docker');
    expect(container.notes).toEqual(['type is missing and taken as docker']);
    const remote = translated({ endpoint_url: 'https://mcp.example.com/mcp', is_public: true, tags: [] });
    expect(remote.jsonSpec).toEqual({ type: 'url', endpoint: 'https://mcp.example.com/mcp' });
    expect(remote.notes).toHaveLength(2);
  });

  it('keeps a type that nobody knows, for core to refuse', () => {
    expect(translated({ type: 'podman', image: 'a' }).jsonSpec.type).toBe('podman');
  });

  it('loses the image and port that the API demands of a remote server too', () => {
    const { jsonSpec } = translated({
      type: 'url',
      image: 'unused',
      port: 1,
      endpoint: 'https://mcp.example.com/mcp',
      health_check: { path: '/health', interval: 30, timeout: 10 },
      authentication: { type: 'bearer', token: 'secret_ref:instance_123:API_KEY' },
      timeout: 30,
    });
    expect(jsonSpec).toEqual({
      type: 'url',
      endpoint: 'https://mcp.example.com/mcp',
      health_check: { path: '/health', interval: 30, timeout: 10 },
      authentication: { type: 'bearer', token: 'secret_ref:instance_123:API_KEY' },
      timeout: 30,
    });
  });

  it('has its variables written as text, and none that is null', () => {
    const environment = { A: 'a', B: 1_000_000, C: true, D: 0.5, E: null };
    const { jsonSpec, notes } = translated({ type: 'docker', image: 'a', environment });
    expect(jsonSpec['environment']).toEqual({ A: 'a', B: '1000000', C: 'true', D: '0.5' });
    expect(notes).toEqual(['the variable E left out: it is null']);
  });

  it('is refused with a variable that is a list or an object, without quoting it', () => {
    const environment = { A: ['canary'], B: { c: 'canary' } };
    const result = translateSpec({ image: 'a', environment }, { instanceId, legacySecretScope: null });
    expect(result).toMatchObject({
      ok: false,
      issues: [{ path: '/json_spec/environment/A' }, { path: '/json_spec/environment/B' }],
    });
    expect(JSON.stringify(result)).not.toContain('canary');
  });

  it.each([undefined, null, 'docker', [], 7])('is refused as %j', (jsonSpec) => {
    expect(translateSpec(jsonSpec, { instanceId, legacySecretScope: null })).toMatchObject({
      ok: false,
      issues: [{ path: '/json_spec' }],
    });
  });

  it('keeps references as they are, or names them as the Go manager looks them up', () => {
    const environment = { API_KEY: 'secret_ref:instance_123:API_KEY', PLAIN: 'value' };
    const written = { type: 'docker', image: 'a', environment };
    expect(translated(written).jsonSpec['environment']).toEqual(environment);
    expect(translated(written, 'agentarea').jsonSpec['environment']).toEqual({
      API_KEY: `secret_ref:agentarea:mcp_instance_${instanceId}_API_KEY`,
      PLAIN: 'value',
    });
  });

  it('gives an answer whatever it is, and never an exception', () => {
    const any = fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(any, (jsonSpec) => {
        expect(translateSpec(jsonSpec, { instanceId, legacySecretScope: 'agentarea' })).toHaveProperty('ok');
      }),
    );
  });
});

it('makes one document of another by a merge patch', () => {
  const from = { type: 'docker', port: 1, environment: { A: '1', B: '2' }, command: ['a'] };
  const to = { type: 'docker', environment: { B: '3', C: '4' }, command: ['b', 'c'] };
  expect(replacingPatch(from, to)).toEqual({
    type: 'docker',
    port: null,
    environment: { A: null, B: '3', C: '4' },
    command: ['b', 'c'],
  });
});
