import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Issue } from '../errors/issue.js';
import { containerSpecSchema } from './container-spec.js';
import type { JsonSpec } from './json-spec.js';
import { parseJsonSpec } from './parse-json-spec.js';

const schemas = new Map<string, z.ZodType<JsonSpec>>([['docker', containerSpecSchema]]);

const container = { type: 'docker', image: 'mcp/filesystem:latest' };

function issuesOf(document: unknown): readonly Issue[] {
  const result = parseJsonSpec(document, schemas);
  return result.ok ? [] : result.issues;
}

const faults = (document: unknown) => issuesOf(document).map(({ path, code }) => `${path} ${code}`);

describe('a valid document', () => {
  it.each([
    ['the least container', container],
    [
      'a container with every field',
      {
        ...container,
        transport: 'http',
        port: 8080,
        path: '/mcp',
        host_header: 'localhost:8080',
        environment: {
          API_KEY: 'secret_ref:instance_123:API_KEY',
          DSN: 'postgres://app:${secret_ref:db:PASSWORD}@db/app',
        },
        plain_environment: ['PUBLIC_KEY'],
        command: ['--verbose'],
        entrypoint: ['/server'],
        resources: { memory_limit: '256m', cpu_limit: '0.5', pids_limit: 64 },
        health_check: {
          type: 'http',
          path: '/health',
          interval: 30,
          timeout: 10,
          retries: 3,
          start_period: 5,
        },
        isolation: { tier: 'standard', capabilities: ['NET_BIND_SERVICE'], new_privileges: false },
        network: { egress: 'none', allow: ['api.github.com:443'] },
        volumes: [{ source: '/srv/docs', target: '/data', read_only: true }],
        tmpfs: [{ path: '/var/cache', size: '64m' }],
        user: '1000:1000',
        read_only: true,
        labels: { team: 'search' },
        workdir: '/app',
        alias: 'fs',
        lifecycle: {
          start: 'on-demand',
          idle_timeout: 60,
          stop_grace: 5,
          max_restarts: 3,
          startup_timeout: 30,
        },
        protocol_era: 'auto',
        secret_delivery: 'file',
        registry: { username: 'bot', password: 'secret_ref:registry:PASSWORD' },
      },
    ],
    [
      'a stdio container with sessions',
      { ...container, session: { policy: 'per-session', max: 4, idle_timeout: 60 } },
    ],
  ])('%s is parsed as it is', (_, document) => {
    expect(parseJsonSpec(document, schemas)).toStrictEqual({ ok: true, spec: document });
  });

  it('takes null and undefined for optional fields as absent', () => {
    const document = {
      ...container,
      cmd: null,
      port: undefined,
      lifecycle: null,
      resources: { memory_limit: null },
    };
    expect(parseJsonSpec(document, schemas)).toStrictEqual({
      ok: true,
      spec: { ...container, resources: {} },
    });
  });

  it('takes cmd for command', () => {
    expect(parseJsonSpec({ ...container, cmd: ['/data'] }, schemas)).toStrictEqual({
      ok: true,
      spec: { ...container, command: ['/data'] },
    });
  });

  it('shares nothing with what was given', () => {
    const document = { ...container, environment: { A: 'a' } };
    const result = parseJsonSpec(document, schemas);
    document.environment.A = 'changed';
    expect(result).toMatchObject({ spec: { environment: { A: 'a' } } });
  });
});

describe('an unknown type', () => {
  it('is never taken for docker and names the known ones', () => {
    expect(issuesOf({ type: 'dockr', image: 'x' })).toEqual([
      {
        path: '/type',
        code: 'unknown_type',
        message: 'No provider runs the type "dockr". Known types are "docker". Did you mean "docker"?',
      },
    ]);
  });

  it.each([
    [{ image: 'x' }, '/type required'],
    [{ type: null }, '/type wrong_type'],
    [{ type: 3 }, '/type wrong_type'],
    [{ type: 'constructor' }, '/type unknown_type'],
  ])('%j is refused', (document, fault) => {
    expect(faults(document)).toEqual([fault]);
  });

  it('says so where no provider is configured', () => {
    const result = parseJsonSpec(container, new Map());
    expect(result).toMatchObject({
      issues: [{ message: expect.stringContaining('no provider is configured') as string }],
    });
  });

  it('does not hide the faults that are the same for every type', () => {
    const document = { type: 'dockr', environment: { A: 1 }, labels: { a: 'secret_ref:a:B' } };
    expect(faults(document)).toEqual([
      '/environment/A wrong_type',
      '/labels/a misplaced_reference',
      '/type unknown_type',
    ]);
  });
});

describe('a fault', () => {
  it.each<[Record<string, unknown>, ...string[]]>([
    [{ ...container, port: 0 }, '/port out_of_range'],
    [{ ...container, port: 65_536 }, '/port out_of_range'],
    [{ ...container, port: 80.5 }, '/port wrong_type'],
    [{ ...container, port: true }, '/port wrong_type'],
    [{ ...container, port: '80' }, '/port wrong_type'],
    [{ ...container, port: 'auto' }, '/port wrong_type'],
    [{ type: 'docker' }, '/image required'],
    [{ type: 'docker', image: null }, '/image wrong_type'],
    [{ ...container, image: '-rm' }, '/image wrong_format'],
    [{ ...container, cmd: ['a'], command: ['b'] }, '/cmd conflict'],
    [{ ...container, command: 'run this' }, '/command wrong_type'],
    [{ ...container, command: [1] }, '/command/0 wrong_type'],
    [{ ...container, transport: 'http' }, '/transport conflict'],
    [{ ...container, transport: 'sse' }, '/transport conflict'],
    [{ ...container, transport: 'stdio', port: 80 }, '/transport conflict'],
    [{ ...container, path: '/mcp' }, '/path conflict'],
    [{ ...container, host_header: 'x' }, '/host_header conflict'],
    [{ ...container, port: 80, path: 'mcp' }, '/path wrong_format'],
    [{ ...container, port: 80, host_header: 'a\r\nb' }, '/host_header wrong_format'],
    [{ ...container, port: 80, session: {} }, '/session conflict'],
    [{ ...container, session: { policy: 'own' } }, '/session/policy not_a_choice'],
    [{ ...container, health_check: '/health' }, '/health_check conflict'],
    [{ ...container, health_check: { type: 'tcp' } }, '/health_check conflict'],
    [{ ...container, port: 80, health_check: '' }, '/health_check wrong_format'],
    [{ ...container, port: 80, health_check: 'http://169.254.169.254/' }, '/health_check wrong_format'],
    [{ ...container, port: 80, health_check: 5 }, '/health_check wrong_type'],
    [{ ...container, port: 80, health_check: { type: 'mcp', path: '/x' } }, '/health_check/path conflict'],
    [{ ...container, health_check: { interval: 0 } }, '/health_check/interval out_of_range'],
    [{ ...container, health_check: { timeout: 60.5 } }, '/health_check/timeout out_of_range'],
    [{ ...container, health_check: { intervall: 1 } }, '/health_check/intervall unknown_field'],
    [{ ...container, lifecycle: { start: 'lazy' } }, '/lifecycle/start not_a_choice'],
    [{ ...container, lifecycle: { max_restarts: -1 } }, '/lifecycle/max_restarts out_of_range'],
    [{ ...container, resources: { memory_limit: 256 } }, '/resources/memory_limit wrong_type'],
    [{ ...container, resources: { memory_limit: 'much' } }, '/resources/memory_limit wrong_format'],
    [{ ...container, resources: { memory_limit: '256' } }, '/resources/memory_limit out_of_range'],
    [{ ...container, resources: { cpu_limit: 0.5 } }, '/resources/cpu_limit wrong_type'],
    [{ ...container, resources: { cpu_limit: '0' } }, '/resources/cpu_limit wrong_format'],
    [{ ...container, resources: { pids_limit: 0 } }, '/resources/pids_limit out_of_range'],
    [{ ...container, isolation: 'none' }, '/isolation not_a_choice'],
    [{ ...container, isolation: { capabilities: ['CAP_CHOWN'] } }, '/isolation/capabilities/0 wrong_format'],
    [{ ...container, network: { egress: 'all' } }, '/network/egress not_a_choice'],
    [{ ...container, network: { allow: ['github.com'] } }, '/network/allow/0 wrong_format'],
    [
      { ...container, network: { allow: ['github.com:0', 'github.com:65536'] } },
      '/network/allow/0 wrong_format',
      '/network/allow/1 wrong_format',
    ],
    [{ ...container, network: { egress: 'open', allow: ['a:1'] } }, '/network/allow conflict'],
    [{ ...container, volumes: [{ source: '/srv' }] }, '/volumes/0/target required'],
    [{ ...container, volumes: ['/srv:/data'] }, '/volumes/0 wrong_type'],
    [
      { ...container, volumes: [{ source: '/srv', target: '/data/../etc' }] },
      '/volumes/0/target wrong_format',
    ],
    [{ ...container, tmpfs: [{ path: '/x', size: '0' }] }, '/tmpfs/0/size wrong_format'],
    [{ ...container, user: 0 }, '/user wrong_type'],
    [{ ...container, read_only: 'yes' }, '/read_only wrong_type'],
    [{ ...container, alias: 'File System' }, '/alias wrong_format'],
    [{ ...container, labels: { 'io.mcpinfra.fleet': 'x' } }, '/labels/io.mcpinfra.fleet reserved'],
    [{ ...container, labels: { 'a b': 'x' } }, '/labels/a b wrong_format'],
    [{ ...container, protocol_era: 'old' }, '/protocol_era not_a_choice'],
    [{ ...container, secret_delivery: 'argv' }, '/secret_delivery not_a_choice'],
    [{ ...container, environment: ['A=1'] }, '/environment wrong_type'],
    [
      { ...container, environment: { A: 1, B: true, C: null, D: {} } },
      '/environment/A wrong_type',
      '/environment/B wrong_type',
      '/environment/C wrong_type',
      '/environment/D wrong_type',
    ],
    [
      { ...container, environment: { '1A': 'x', 'A=B': 'x', '': 'x' } },
      '/environment/1A wrong_format',
      '/environment/A=B wrong_format',
      '/environment/ wrong_format',
    ],
    [
      {
        ...container,
        environment: {
          MCP_INSTANCE_ID: 'x',
          MCP_SERVICE_NAME: 'x',
          MCP_CONTAINER_PORT: 'x',
          MCPINFRA_FLEET: 'x',
        },
      },
      '/environment/MCP_INSTANCE_ID reserved',
      '/environment/MCP_SERVICE_NAME reserved',
      '/environment/MCP_CONTAINER_PORT reserved',
      '/environment/MCPINFRA_FLEET reserved',
    ],
  ])('of %j is reported at its place', (document, ...expected) => {
    expect(faults(document)).toEqual(expected);
  });

  it('never hides another', () => {
    const document = {
      type: 'docker',
      port: '80',
      transport: 'stdoi',
      memory: 1,
      cmd: ['a'],
      command: ['b'],
      environment: { A: 1 },
    };
    expect(faults(document)).toEqual([
      '/environment/A wrong_type',
      '/image required',
      '/transport not_a_choice',
      '/port wrong_type',
      '/memory unknown_field',
      '/cmd conflict',
    ]);
  });

  it.each([
    [{ ...container, memoryLimit: 1, enviroment: {} }, 'Did you mean "environment"?'],
    [{ ...container, resources: { memoryLimit: '1g' } }, 'Did you mean "memory_limit"?'],
    [{ ...container, env: {} }, 'Did you mean "environment"?'],
    [{ ...container, transport: 'studio' }, 'Did you mean "stdio"?'],
    [{ ...container, port: '80' }, 'but got "80".'],
    [{ ...container, port: 'x'.repeat(500) }, `but got "${'x'.repeat(60)}…".`],
    [{ ...container, labels: { a: 'secret_ref:a:B' } }, 'environment, headers, authentication and registry'],
  ])('of %j says what to do', (document, sentence) => {
    expect(issuesOf(document).some((issue) => issue.message.includes(sentence))).toBe(true);
  });

  it('is never told with a value that may be a secret', () => {
    const canary = 'ghp_canary0123456789abcdefghijklmnop';
    const documents = [
      { ...container, environment: { A: [canary], 'B B': canary, C: `secret_ref:${canary}` } },
      {
        ...container,
        registry: { username: 'x', password: [canary] },
        image: canary,
        user: `${canary} x`,
        command: canary,
      },
      { ...container, cmd: canary, environment: canary, [`label`]: canary, labels: canary },
      canary,
    ];
    for (const document of documents) {
      expect(issuesOf(document)).not.toEqual([]);
      expect(JSON.stringify(issuesOf(document))).not.toContain('canary');
    }
  });
});

describe('a secret reference', () => {
  it.each([
    [{ ...container, image: 'secret_ref:a:B' }, '/image'],
    [{ ...container, command: ['--token=secret_ref:a:B'] }, '/command/0'],
    [{ ...container, labels: { a: '${secret_ref:a:B}' } }, '/labels/a'],
    [{ ...container, volumes: [{ source: 'secret_ref:a:B', target: '/x' }] }, '/volumes/0/source'],
    [{ ...container, environment: 'secret_ref:a:B' }, '/environment'],
  ])('in %j is misplaced', (document, path) => {
    expect(issuesOf(document)).toContainEqual(
      expect.objectContaining({
        path,
        code: expect.stringMatching(/misplaced_reference|wrong_type/u) as string,
      }),
    );
  });

  it.each([
    'secret_ref:',
    'secret_ref:a',
    'secret_ref::B',
    'secret_ref:a:',
    'secret_ref:a b:C',
    'x ${secret_ref:a} y',
    'x ${secret_ref:a:B',
    'Bearer secret_ref:a:B',
    'secret_ref:a:B and more',
  ])('written %j is malformed', (text) => {
    expect(faults({ ...container, environment: { A: text } })).toEqual([
      '/environment/A malformed_reference',
    ]);
  });

  it('in a name is misplaced', () => {
    expect(faults({ ...container, environment: { 'secret_ref:a:B': 'x' } })).toContain(
      '/environment/secret_ref:a:B misplaced_reference',
    );
  });
});

describe('a value that is no document', () => {
  class Spec {
    type = 'docker';
  }
  const cyclic: Record<string, unknown> = { ...container };
  cyclic['labels'] = cyclic;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();

  it.each<[string, unknown, string]>([
    ['undefined', undefined, ' wrong_type'],
    ['null', null, ' wrong_type'],
    ['a text', '{}', ' wrong_type'],
    ['a list', [container], ' wrong_type'],
    ['a function', () => container, ' wrong_type'],
    ['an instance of a class', new Spec(), ' wrong_type'],
    ['a map', new Map(Object.entries(container)), ' wrong_type'],
    ['a revoked proxy', proxy, ' wrong_type'],
    ['a cyclic object', cyclic, ' too_large'],
    [
      'a computed member',
      Object.defineProperty({ ...container }, 'port', { get: () => 80, enumerable: true }),
      '/port wrong_type',
    ],
    ['a bigint', { ...container, port: 80n }, '/port wrong_type'],
    ['NaN', { ...container, port: NaN }, '/port wrong_type'],
    ['a date', { ...container, labels: { at: new Date(0) } }, '/labels/at wrong_type'],
    ['NUL in a text', { ...container, environment: { A: '\0' } }, '/environment/A wrong_format'],
    ['half a surrogate pair', { ...container, environment: { A: '\ud800' } }, '/environment/A wrong_format'],
    [
      '__proto__',
      JSON.parse('{"type":"docker","image":"x","__proto__":{"polluted":true}}'),
      '/__proto__ reserved',
    ],
    ['a nested constructor', { ...container, labels: { constructor: 'x' } }, '/labels/constructor reserved'],
    ['a prototype', { ...container, environment: { prototype: 'x' } }, '/environment/prototype reserved'],
    ['a list without end', { ...container, command: new Array(1e9) }, ' too_large'],
    ['too many members', { ...container, command: Array.from({ length: 5_000 }, () => 'x') }, ' too_large'],
    ['too much text', { ...container, environment: { A: 'x'.repeat(600_000) } }, ' too_large'],
    ['too long a key', { ...container, labels: { ['x'.repeat(300)]: 'x' } }, '/labels too_large'],
  ])('such as %s gives an issue', (_, document, fault) => {
    expect(faults(document)).toEqual([fault]);
  });

  it('may nest 32 deep and no deeper', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 'x' : { a: nested(depth - 1) });
    expect(faults({ ...container, extra: nested(31) })).toEqual(['/extra unknown_field']);
    expect(faults({ ...container, extra: nested(32) })).toEqual([' too_large']);
  });

  it('may have no prototype, as documents of some parsers have', () => {
    const document: unknown = Object.assign(Object.create(null), container);
    expect(parseJsonSpec(document, schemas)).toStrictEqual({ ok: true, spec: container });
  });
});

describe("another provider's schema", () => {
  const parse = (schema: z.ZodType<JsonSpec>, document: object) =>
    parseJsonSpec(document, new Map([['lambda', schema]]));

  it('keeps its own messages and gets the rest from us', () => {
    const schema = z.strictObject({
      type: z.literal('lambda'),
      arn: z.string().refine((arn) => arn.startsWith('arn:'), 'The ARN begins with arn:'),
      memory: z.number().max(10_240),
    });
    expect(parse(schema, { type: 'lambda', arn: 'x', memory: 20_000, memry: 1 })).toEqual({
      ok: false,
      issues: [
        { path: '/arn', code: 'wrong_format', message: 'The ARN begins with arn:, but got "x".' },
        { path: '/memory', code: 'out_of_range', message: 'Expected at most 10240, but got 20000.' },
        {
          path: '/memry',
          code: 'unknown_field',
          message: 'There is no field "memry" here. Did you mean "memory"?',
        },
      ],
    });
  });

  it('that throws or is asynchronous gives an issue', () => {
    const throwing = z.looseObject({ type: z.string().refine(() => JSON.parse('{') as boolean) });
    const asynchronous = z.looseObject({ type: z.string().refine(async () => true) });
    for (const schema of [throwing, asynchronous]) {
      expect(parse(schema as z.ZodType<JsonSpec>, { type: 'lambda' })).toMatchObject({
        issues: [{ path: '', code: 'unsupported' }],
      });
    }
  });
});
