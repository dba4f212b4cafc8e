import { MCPInfraError } from '@mcpinfra/core/plugin';
import { publicDocument } from '@mcpinfra/tools';
import { describe, expect, it } from 'vitest';
import { parseText } from './documents/parse-text.js';
import { fillDraft } from './drafts/fill-draft.js';
import { readServers } from './read-servers.js';

type Values = Readonly<Record<string, readonly string[]>>;

/** Reads a document, puts values into the given way of its first server, and gives what instances of it would run. */
function ran(
  document: unknown,
  {
    way = 0,
    values = {},
    volumes = false,
  }: { readonly way?: number; readonly values?: Values; readonly volumes?: boolean } = {},
) {
  const read = readServers(document, { volumes });
  const draft = read.servers[0]?.[way];
  if (!draft)
    return { ...read, spec: undefined, missing: undefined, definition: undefined, issues: undefined };
  const { shared, own, missing, issues } = fillDraft(draft, ({ name }) => values[name]);
  const names = missing.map(({ name }) => name);
  return { ...read, spec: { ...shared, ...own }, missing: names, issues, definition: draft.definition };
}
const fixture = (path: string) => parseText(publicDocument(path));
const left = ({ notCarried }: { readonly notCarried: readonly { readonly path: string }[] }) =>
  notCarried.map(({ path }) => path);
const mcpServer = (entry: object) => ({ mcpServers: { one: entry } });
const entry = (members: object) => ({ name: 'io.example/one', version: '2.0.0', ...members });
const npm = { registryType: 'npm', identifier: '@scope/one', version: '1.2.3', transport: { type: 'stdio' } };
const oci = { registryType: 'oci', identifier: 'ghcr.io/a/one:1', transport: { type: 'stdio' } };

function refusal(document: unknown) {
  try {
    readServers(document, { volumes: false });
  } catch (error) {
    if (MCPInfraError.isInstance(error)) return error;
  }
  throw new Error('It was not refused.');
}

describe('entries of the official registry', () => {
  it('make a container of an image, with the variables hidden in the arguments of the engine', () => {
    const read = ran(fixture('registry/github.json'), { values: { GITHUB_PERSONAL_ACCESS_TOKEN: ['abc'] } });
    expect(read).toMatchObject({
      format: 'server.json',
      definition: {
        name: 'io.github.github/github-mcp-server',
        version: '0.24.0',
        dockerImageUrl: 'ghcr.io/github/github-mcp-server:0.24.0',
        envSchema: [{ name: 'GITHUB_PERSONAL_ACCESS_TOKEN', secret: true, required: true }],
      },
      missing: [],
      notCarried: [],
    });
    expect(read.spec).toEqual({ type: 'docker', environment: { GITHUB_PERSONAL_ACCESS_TOKEN: 'abc' } });
    expect(ran(fixture('registry/github.json')).missing).toEqual(['GITHUB_PERSONAL_ACCESS_TOKEN']);
  });

  it('reach a remote with its headers', () => {
    const read = ran(fixture('registry/github.json'), { way: 1, values: { Authorization: ['Bearer abc'] } });
    expect(read.spec).toEqual({
      type: 'url',
      endpoint: 'https://api.githubcopilot.com/mcp/',
      headers: { Authorization: 'Bearer abc' },
    });
  });

  it('take images whose registry and tag stand apart, as older ones do', () => {
    expect(ran(fixture('registry/grafana.json'))).toMatchObject({
      definition: { dockerImageUrl: 'docker.io/grafana/mcp-grafana:0.7.10' },
      missing: ['GRAFANA_URL'],
    });
  });

  it('leave out a place that a release fills in', () => {
    const templated = { ...oci, identifier: 'ghcr.io/a/one:${VERSION}' };
    const read = ran({ ...entry({ packages: [templated] }), version: '${VERSION}' });
    expect(read.definition).toMatchObject({ dockerImageUrl: 'ghcr.io/a/one', version: '1.0.0' });
    expect(left(read)).toEqual(['/version']);
  });

  it('run packages by their programs, without a shell', () => {
    expect(ran(fixture('registry/playwright.json')).spec).toEqual({
      type: 'process',
      command: ['npx', '-y', '@playwright/mcp@0.1.0'],
    });
    expect(ran(fixture('registry/redis.json')).spec).toMatchObject({
      command: ['uvx', 'redis-mcp-server@0.3.5'],
    });
    expect(ran(entry({ packages: [{ ...npm, registryType: 'nuget' }] })).spec).toMatchObject({
      command: ['dnx', '--yes', '@scope/one@1.2.3'],
    });
  });

  it('read the snake_case of earlier schemas in an answer of the registry, and arguments that repeat', () => {
    const document = fixture('registry/filesystem.2025-07-09.json');
    expect(ran(document, { values: { directory: ['/a b', '/c;d'], LOG_LEVEL: ['debug'] } })).toMatchObject({
      definition: { name: 'io.modelcontextprotocol/filesystem', version: '1.0.2' },
      spec: {
        command: ['npx', '-y', '@modelcontextprotocol/server-filesystem@1.0.2', '/a b', '/c;d'],
        environment: { LOG_LEVEL: 'debug' },
      },
      missing: [],
    });
    expect(ran(document).missing).toEqual(['directory']);
  });

  it('hold an option and its value together, and leave out what is optional and not given', () => {
    const packageArguments = [
      { type: 'named', name: '--port', default: '8080' },
      { type: 'named', name: '--level', choices: ['low', 'high'] },
      { type: 'named', name: '--root', value: '{home}/data', variables: { home: { isRequired: true } } },
      { type: 'named', name: '--tag', isRepeated: true },
      { type: 'positional', value: 'serve' },
      { type: 'positional', valueHint: 'file' },
      { type: 'named', name: '--fast', value: 'true', format: 'boolean' },
    ];
    const document = entry({ packages: [{ ...npm, packageArguments }] });
    const read = ran(document, { values: { home: ['/h'], '--tag': ['a', 'b'] } });
    expect(read.spec).toMatchObject({
      command: [
        ...['npx', '-y', '@scope/one@1.2.3', '--port', '8080', '--root', '/h/data'],
        ...['--tag', 'a', '--tag', 'b', 'serve', '--fast'],
      ],
    });
    expect(ran(document).missing).toEqual(['home']);
    expect(ran(document, { values: { home: ['/h'], '--level': ['top'] } }).issues).toMatchObject([
      { path: '/packages/0/packageArguments/1', code: 'not_a_choice' },
    ]);
  });

  it('take runtime arguments before the package, and the package from --from', () => {
    const runtimeArguments = [{ type: 'named', name: '--from', value: 'one[http]@1' }];
    const package_ = { ...npm, registryType: 'pypi', identifier: 'one', runtimeArguments };
    expect(ran(entry({ packages: [package_] })).spec).toMatchObject({
      command: ['uvx', '--from', 'one[http]@1', 'one'],
    });
  });

  it('declare variables with type, format, choices, fixed value and default', () => {
    const environmentVariables = [
      { name: 'COUNT', format: 'number', default: '3', placeholder: '5' },
      { name: 'ROOT', format: 'filepath', isRequired: true },
      { name: 'MODE', choices: ['a', 'b'], default: 'a' },
      { name: 'FIXED', value: 'yes' },
      { name: 'AT', value: 'https://{host}/x', variables: { host: { isRequired: true } } },
      { name: 'HIDDEN', isSecret: true, default: 'canary-1' },
      { name: 'API_TOKEN' },
      { name: 'ODD', choices: ['a'], default: 'z' },
      { name: 'MCP_INSTANCE_ID' },
    ];
    const read = ran(entry({ packages: [{ ...npm, environmentVariables }] }), {
      values: { ROOT: ['/r'], host: ['h'] },
    });
    expect(read.definition?.envSchema).toMatchObject([
      { name: 'COUNT', type: 'number', default: '3', placeholder: '5' },
      { name: 'ROOT', format: 'filepath', required: true },
      { name: 'MODE', choices: ['a', 'b'], default: 'a' },
      { name: 'FIXED', value: 'yes' },
      { name: 'AT' },
      { name: 'HIDDEN', secret: true },
      { name: 'API_TOKEN', secret: true },
      { name: 'ODD', required: false },
    ]);
    expect(read.spec).toMatchObject({ environment: { ROOT: '/r', AT: 'https://h/x' } });
    expect(left(read)).toEqual([
      '/packages/0/environmentVariables/5/default',
      '/packages/0/environmentVariables/7',
      '/packages/0/environmentVariables/8',
    ]);
    expect(JSON.stringify(read)).not.toContain('canary-1');
  });

  it('say at what port and path a server here listens', () => {
    const transport = { type: 'streamable-http', url: 'http://127.0.0.1:{port}/mcp' };
    const packageArguments = [{ type: 'named', name: '--port', default: '8080' }];
    expect(
      ran(entry({ packages: [{ ...npm, transport, packageArguments }] }), { values: { '--port': ['9'] } })
        .spec,
    ).toMatchObject({
      transport: 'http',
      port: 9,
      path: '/mcp',
      command: expect.arrayContaining(['--port', '9']) as unknown,
    });
    const runtimeArguments = [{ type: 'named', name: '-p', value: '127.0.0.1:8080:80' }];
    const package_ = {
      ...oci,
      runtimeArguments,
      transport: { type: 'sse', url: 'http://localhost:8080/sse' },
    };
    expect(ran(entry({ packages: [package_] })).spec).toMatchObject({
      transport: 'sse',
      port: 80,
      path: '/sse',
    });
  });

  it('leave optional secrets out of arguments, and what needs them altogether', () => {
    const read = ran(fixture('registry/mongodb.json'), { values: { '--apiClientId': ['id'] } });
    expect(read.spec).toMatchObject({
      command: ['npx', '-y', 'mongodb-mcp-server@1.2.0', '--apiClientId', 'id'],
    });
    expect(left(read)).toContain('/packages/0/packageArguments/1');
    const packageArguments = [{ type: 'named', name: '--token', isSecret: true, isRequired: true }];
    const refused = ran(entry({ packages: [{ ...npm, packageArguments }] }));
    expect(refused.servers).toEqual([[]]);
    expect(left(refused)).toEqual(['/packages/0/packageArguments/0']);
  });

  it('say what is not run here', () => {
    const packages = [
      { ...npm, registryType: 'mcpb', identifier: 'https://example.com/a.mcpb', fileSha256: 'x' },
      { ...npm, surprise: 1 },
    ];
    const read = ran({ ...entry({ packages }), titel: 'x' });
    expect(left(read)).toEqual(['/titel', '/packages/0', '/packages/1/surprise']);
    expect(read.notCarried[0]?.message).toContain('Did you mean "title"?');
    expect(left(ran(entry({ packages: [npm], status: 'deleted' })))).toEqual(['/status']);
    expect(ran(entry({ packages: [npm], status: 'deprecated' })).definition).toMatchObject({
      status: 'deprecated',
    });
  });
});

describe('configurations of clients', () => {
  it('run a command as it is', () => {
    const read = ran(
      mcpServer({
        command: 'npx',
        args: ['-y', 'a pkg', '--x=1;2'],
        env: { LOG: 'debug', N: 5 },
        cwd: '/srv',
      }),
    );
    expect(read).toMatchObject({ format: 'mcpServers', missing: [], notCarried: [], secretsInClear: [] });
    expect(read.spec).toEqual({
      type: 'process',
      command: ['npx', '-y', 'a pkg', '--x=1;2'],
      environment: { LOG: 'debug', N: '5' },
      cwd: '/srv',
    });
    expect(ran(mcpServer({ command: 'cmd', args: ['/c', 'npx', 'one'] })).spec).toMatchObject({
      command: ['npx', 'one'],
    });
  });

  it('make a container of "docker run", with every option carried over, implied or said', () => {
    const args = [
      ...[
        'run',
        '-it',
        '--rm',
        '--init',
        '-eA=1',
        '--env=B=2',
        '-e',
        'C',
        '-e',
        'D',
        '--name',
        'x',
        '-u',
        '1000:1000',
      ],
      ...[
        '-w',
        '/w',
        '--memory=256m',
        '--cpus',
        '0.5',
        '-v',
        '/a:/b:ro',
        '--mount',
        'type=bind,src=/c,dst=/d',
        '--privileged',
      ],
      ...['--network', 'host', '--entrypoint', '/run', 'mcp/one:2', 'serve', '-e', 'not-ours'],
    ];
    const document = mcpServer({ command: '/usr/bin/docker', args, env: { C: '3', E: '5' } });
    const read = ran(document, { values: { D: ['4'] } });
    expect(read.definition?.dockerImageUrl).toBe('mcp/one:2');
    expect(read.spec).toEqual({
      type: 'docker',
      command: ['serve', '-e', 'not-ours'],
      environment: { A: '1', B: '2', C: '3', D: '4' },
      user: '1000:1000',
      workdir: '/w',
      resources: { memory_limit: '256m', cpu_limit: '0.5' },
      entrypoint: ['/run'],
    });
    const at = (i: number) => `/mcpServers/one/args/${String(i)}`;
    expect(left(read)).toEqual([at(20), at(22), at(23), at(25), '/mcpServers/one/env/E']);
    expect(ran(document, { volumes: true }).spec).toMatchObject({
      volumes: [
        { source: '/a', target: '/b', read_only: true },
        { source: '/c', target: '/d', read_only: false },
      ],
    });
    expect(ran(document).missing).toEqual(['D']);
  });

  it('reach remotes, also behind a bridge', () => {
    const read = readServers(fixture('clients/cursor.json'), { volumes: false });
    const [github, , linear] = read.servers.map(
      ([draft]) => draft && fillDraft(draft, ({ name }) => [`v-${name}`]).own,
    );
    expect(github).toEqual({ type: 'url', headers: { Authorization: 'Bearer v-GITHUB_PAT' } });
    expect(linear).toMatchObject({ type: 'url', headers: { Authorization: 'Bearer v-LINEAR_TOKEN' } });
  });

  it('ask for the inputs of VS Code, whose files have comments', () => {
    const read = readServers(fixture('clients/vscode.jsonc'), { volumes: false });
    expect(read.format).toBe('vscode');
    const [github, files] = read.servers.map(([draft]) => draft && fillDraft(draft, () => undefined));
    expect(github?.missing).toMatchObject([{ name: 'github_token', secret: true, path: '/inputs/0' }]);
    expect(github?.own).toMatchObject({ headers: { 'X-MCP-Toolsets': 'repos' } });
    expect(files?.missing).toMatchObject([{ name: 'workspaceFolder', secret: false }]);
    expect(readServers({ mcp: { servers: { a: { command: 'x' } } } }, { volumes: false }).format).toBe(
      'vscode',
    );
  });

  it('take placeholders that people were to replace as what is needed, and leave references alone', () => {
    const env = { A_TOKEN: '<YOUR_TOKEN>', B: '${B:-five}', C: 'x ${secret_ref:vault:C}', D_KEY: '' };
    const read = ran(mcpServer({ command: 'x', env }));
    expect(read.missing).toEqual(['A_TOKEN']);
    expect(read.spec).toMatchObject({ environment: { B: 'five', C: 'x ${secret_ref:vault:C}' } });
  });

  it('point at secrets in clear, refuse those among arguments and in addresses, and quote none', () => {
    const canary = 'ghp_canary0123456789abcdefgh';
    const read = readServers(
      {
        mcpServers: {
          env: { command: 'x', env: { ONE_TOKEN: canary } },
          header: { url: 'https://example.com', headers: { Authorization: `Bearer ${canary}` } },
          argument: { command: 'x', args: ['--api-key', canary] },
          assigned: { command: 'x', args: [`--password=${canary}`] },
          inside: { command: 'docker', args: ['run', 'image', '--token', canary] },
          address: { url: `https://example.com/mcp?apiKey=${canary}` },
          named: { url: `https://me:${canary}@example.com/mcp` },
          shell: { command: 'sh', args: ['-c', 'run ${NAME}'] },
        },
      },
      { volumes: false },
    );
    expect(read.servers.map((ways) => ways.length)).toEqual([1, 1, 0, 0, 0, 1, 0, 0]);
    expect(read.secretsInClear).toEqual([
      '/mcpServers/env/env/ONE_TOKEN',
      '/mcpServers/header/headers/Authorization',
      '/mcpServers/address/url',
    ]);
    expect(left(read)).toHaveLength(5);
    expect(JSON.stringify(read.notCarried)).not.toContain('canary');
  });
});

describe('values', () => {
  it('are refused where a secret among them would be seen, or could not be kept', () => {
    const canary = 'ghp_canary0123456789abcdefgh';
    const shown = ran(mcpServer({ command: 'x', args: ['${PLACE}'] }), { values: { PLACE: [canary] } });
    expect(shown.issues).toMatchObject([{ path: '/mcpServers/one/args/0', code: 'secret_in_clear' }]);
    const headers = { 'X-One': '${input:a}', 'X-Two': '${input:b}' };
    const inputs = ['a', 'b'].map((id) => ({ id, password: true }));
    const document = { ...mcpServer({ url: 'https://example.com/mcp', headers }), inputs };
    const two = ran(document, { values: { a: [canary.slice(4)], b: [canary.slice(5)] } });
    expect(two.spec).toMatchObject({ authentication: { type: 'header', name: 'X-One' } });
    expect(two.issues).toMatchObject([{ path: '/inputs/1', code: 'secret_in_clear' }]);
    expect(JSON.stringify([shown.issues, two.issues])).not.toContain('canary');
    const kept = ran(document, { values: { a: ['secret_ref:vault:A'], b: ['secret_ref:vault:B'] } });
    expect(kept.issues).toEqual([]);
    expect(ran(document, { values: { a: ['1', '2'], b: ['secret_ref:vault:B'] } }).issues).toMatchObject([
      { path: '/inputs/0', code: 'wrong_type' },
    ]);
  });
});

describe("entries of Docker's catalogue", () => {
  it('carry image, network, arguments and what their parameters describe', () => {
    expect(ran(fixture('docker/filesystem.yaml'), { values: { paths: ['/a', '/b'] } })).toMatchObject({
      format: 'docker-catalog',
      definition: { name: 'filesystem', dockerImageUrl: 'mcp/filesystem', tags: ['filesystem', 'devops'] },
      spec: { type: 'docker', command: ['/a', '/b'], network: { egress: 'none' } },
      notCarried: [{ path: '/run/volumes/0' }],
    });
    expect(ran(fixture('docker/github.yaml'))).toMatchObject({
      spec: { network: { allow: ['api.github.com:443', 'github.com:443', 'raw.githubusercontent.com:443'] } },
      missing: ['GITHUB_PERSONAL_ACCESS_TOKEN'],
      notCarried: [{ path: '/oauth' }],
    });
    const grafana = { values: { url: ['http://g'], GRAFANA_API_KEY: ['k'] } };
    expect(ran(fixture('docker/grafana.yaml'), grafana)).toMatchObject({
      spec: {
        command: ['--transport=stdio'],
        environment: { GRAFANA_URL: 'http://g', GRAFANA_API_KEY: 'k' },
      },
      missing: [],
    });
  });

  it('reach remotes with secrets in their headers', () => {
    expect(ran(fixture('docker/remote.yaml'), { values: { NOTES_TOKEN: ['abc'] } }).spec).toEqual({
      type: 'url',
      transport: 'sse',
      endpoint: 'https://notes.example.com/sse',
      headers: { Authorization: 'Bearer abc' },
    });
  });

  it('can be several documents of one text', () => {
    const text = ['filesystem', 'github'].map((name) => publicDocument(`docker/${name}.yaml`)).join('---\n');
    const read = readServers(parseText(text), { volumes: false });
    expect(read.servers.map(([draft]) => draft?.path)).toEqual(['/0', '/1']);
  });
});

describe('lists of providers', () => {
  it('load all twenty, whose ids are no strict UUIDs', () => {
    const read = readServers(fixture('providers.yaml'), { volumes: false });
    expect(read).toMatchObject({ format: 'providers', notCarried: [], secretsInClear: [] });
    const drafts = read.servers.flat();
    expect(drafts).toHaveLength(20);
    expect(drafts.flatMap(({ definition }) => definition.envSchema)).toHaveLength(47);
    const filled = drafts.map(
      (draft) => [draft.instance.name, fillDraft(draft, () => undefined).missing] as const,
    );
    const missing = new Map(filled.map(([name, inputs]) => [name, inputs.map((input) => input.name)]));
    expect(missing.get('github')).toEqual(['GITHUB_PERSONAL_ACCESS_TOKEN']);
    for (const name of ['memory', 'fetch', 'nginx_test', 'docker', 'kubernetes'])
      expect(missing.get(name)).toEqual([]);
    const secrets = drafts.flatMap(({ definition }) =>
      definition.envSchema.filter(({ secret }) => secret === true),
    );
    expect(secrets.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'POSTGRES_CONNECTION_STRING',
        'MYSQL_PASSWORD',
        'GOOGLE_CLIENT_SECRET',
        'BRAVE_API_KEY',
      ]),
    );
  });
});

describe('what is none of these', () => {
  it('is refused with what is known and what came', () => {
    expect(refusal({ mcpservers: {} }).message).toContain(
      'an object with "mcpservers" came. Did you mean "mcpServers"?',
    );
    expect(refusal({ servers: [], instances: [] }).message).toContain('a document for apply()');
    for (const value of [null, 5, 'x', {}, [], [[]], new Map(), () => 1]) {
      expect(refusal(value)).toMatchObject({ code: 'INVALID_SPEC' });
    }
  });

  it('says every fault at once, each at its place', () => {
    const { details } = refusal({
      mcpServers: {
        a: {},
        b: { command: {} },
        c: { command: 'x', args: 'y' },
        d: 7,
        e: { url: 'x', headers: { A: [] } },
      },
    });
    const issues = details['issues'] as { readonly path: string }[];
    expect(issues.map(({ path }) => path)).toEqual([
      '/mcpServers/a',
      '/mcpServers/b/command',
      '/mcpServers/c/args',
      '/mcpServers/d',
      '/mcpServers/e/headers/A',
    ]);
  });

  it('takes a text for no document, so that every place of a fault is one of what it was given', () => {
    expect(refusal('- a\n- b\n').details).toMatchObject({ issues: [{ path: '', code: 'unknown_type' }] });
    expect(refusal(['- a']).details).toMatchObject({ issues: [{ path: '/0', code: 'unknown_type' }] });
  });

  it('never reaches a prototype', () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const text = `{"mcpServers":{"${key}":{"command":"x"}}}`;
      expect(refusal(parseText(text)).details).toMatchObject({
        issues: [{ path: `/mcpServers/${key}`, code: 'reserved' }],
      });
    }
  });

  it('refuses two servers of one name', () => {
    const error = refusal([entry({ packages: [npm] }), entry({ packages: [npm] })]);
    expect(error.details).toMatchObject({ issues: [{ path: '/1/packages/0', code: 'conflict' }] });
    expect(refusal([entry({ packages: [npm] }), { mcpServers: {} }]).details).toMatchObject({
      issues: [{ path: '/1', code: 'conflict' }],
    });
  });
});
