import { fileURLToPath } from 'node:url';
import { createMCPInfra, memorySecrets } from '@mcpinfra/core';
import { redisEvents } from '@mcpinfra/events-redis';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { processProvider } from '@mcpinfra/provider-process';
import { urlProvider } from '@mcpinfra/provider-url';
import { postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { expect, it, onTestFinished } from 'vitest';
import { allowed, canaries, engineFiles, isAllowed, of, witness, type Door } from './canary/doors.js';
import { Ledger } from './canary/ledger.js';
import { seeEngine, seeProcesses } from './canary/outside.js';
import { mutableBackend } from './canary/mutable-backend.js';
import { seeServices, startServices } from './canary/services.js';
import { loggerInto, watchConsole } from './canary/watch.js';

const services = serviceOrSkip(startServices);

it('writes a secret value nowhere but where the server has to find it', async () => {
  const { postgres, redis, engine, remote, secretDir } = services();
  const ledger = new Ledger([...canaries, witness]);
  const keep = ledger.keep.bind(ledger);
  watchConsole(ledger);

  console.log(witness.value);

  const vault = mutableBackend();
  const put = (key: string, door: Door): string => vault.hold(key, of(door));
  const postgresUrl = new URL(postgres.url);
  postgresUrl.password = of('postgres password');
  const memory = memorySecrets();
  const open = async () => {
    const infra = createMCPInfra({
      providers: [
        dockerProvider({ socketPath: engine.socketPath, secretDir }),
        processProvider(),
        urlProvider({ allow: ['loopback'] }),
      ],
      secrets: [vault, memory],
      store: postgresStore({ connectionString: postgresUrl.href }),
      events: redisEvents({ url: redis.url }),
      logger: loggerInto(ledger),
      gatewayUrl: 'https://mcp.example',
      allowUnknownEnvironment: true,
      resyncEveryMs: 1_000,
    });
    await infra.start();
    onTestFinished(async () => {
      await infra.stop();
    });
    infra.events.on('*', (event) => ledger.see('event', event));
    return infra;
  };
  const infra = await open();
  const { instances, environment } = infra;
  const within = () => ({ signal: AbortSignal.timeout(15_000) });
  const waiting = () => ({ wait: true, ...within() });
  const name = (what: string): string => `${what}-${witness.forms[0] ?? ''}`;
  const ids: string[] = [];
  const made = async (instance: { readonly id: string }): Promise<string> => {
    ids.push(instance.id);
    ledger.see('answer of create', await instances.waitUntilReady(instance.id, within()));
    return instance.id;
  };
  const dying = async (instance: { readonly id: string }, reason: RegExp): Promise<void> => {
    ids.push(instance.id);
    const failed = await instances.waitFor(instance.id, 'failed', within());
    ledger.see('failed instance', failed);
    expect(JSON.stringify(failed.statusDetail)).toMatch(reason);
    await seeLogs(instance.id);
    await keep('waitUntilReady', instances.waitUntilReady(instance.id, { signal: AbortSignal.timeout(100) }));
    await keep('callTool of a failed instance', instances.callTool(instance.id, 'tell'));
    await instances.stop(instance.id);
  };
  const seeLogs = async (id: string): Promise<void> => {
    await keep('logs', all(instances.logs(id)));
  };
  const lookAround = async (infra: Awaited<ReturnType<typeof open>>): Promise<void> => {
    await seeServices(ledger, services());
    await keep('doctor', infra.doctor());
    await keep('health', infra.health());
    await keep('export', infra.export());
    await keep('list', infra.instances.list());
    await keep('servers.list', infra.servers.list());
    for (const id of ids) {
      await keep('get', infra.instances.get(id));
      await keep('environment.list', infra.environment.list(id));
      await keep('clientConfig', infra.instances.clientConfig(id, {}));
      await keep('tools', infra.instances.tools(id));
    }
  };

  // Containers: environment.
  const server = await infra.servers.register({
    name: name('server'),
    dockerImageUrl: 'mcp/test:latest',
    envSchema: [
      { name: 'CLEAR', secret: true },
      { name: 'ROTATED', secret: true },
      { name: 'COUNT', type: 'integer', secret: true },
    ],
  });
  const contained = await made(
    await instances.create({
      name: name('contained'),
      serverSpecId: server.id,
      labels: { team: witness.value },
      jsonSpec: {
        type: 'docker',
        environment: {
          WITNESS: witness.value,
          CLEAR: of('environment in clear'),
          REF: put('REF', 'environment by reference'),
          URL: `db://\${${put('PART', 'reference inside a text')}}@db`,
          API_TOKEN: of('name of a secret'),
        },
        lifecycle: { stop_grace: 1 },
      },
    }),
  );
  // Containers: files.
  const filed = await made(
    await instances.create({
      name: name('filed'),
      jsonSpec: {
        type: 'docker',
        image: 'mcp/test:latest',
        environment: { FILE_KEY: of('file in clear'), REF: put('FILE', 'file by reference') },
        secret_delivery: 'file',
        lifecycle: { stop_grace: 1 },
      },
    }),
  );
  const leaking = await made(
    await instances.create({
      name: name('leaking'),
      jsonSpec: {
        type: 'docker',
        image: 'mcp/hostile:latest',
        command: ['leak-secret'],
        environment: { KEY: of('environment of a leaky container') },
        lifecycle: { stop_grace: 1 },
      },
    }),
  );
  // Processes.
  const leaky = fileURLToPath(new URL('canary/leaky-server.mjs', import.meta.url));
  const local = await made(
    await instances.create({
      name: name('local'),
      jsonSpec: {
        type: 'process',
        command: [process.execPath, leaky, 'serve', witness.value],
        environment: { KEY: of('environment of a process') },
      },
    }),
  );
  // Servers elsewhere.
  const endpoint = `${remote.origin}/good/mcp`;
  const token_url = `${remote.origin}/token`;
  const authentications = [
    { type: 'bearer', token: of('bearer token') },
    { type: 'basic', username: 'me', password: put('BASIC', 'basic password') },
    { type: 'header', name: 'X-Own', value: of('header of authentication') },
    { type: 'oauth2_client_credentials', token_url, client_id: 'me', client_secret: of('client secret') },
  ] as const;
  const headers = { 'X-Api-Key': of('header in clear'), 'X-Ref': put('HEADER', 'header by reference') };
  for (const authentication of authentications) {
    const jsonSpec = { type: 'url', endpoint, headers, authentication } as const;
    const id = await made(await instances.create({ name: name(authentication.type), jsonSpec }));
    await keep(
      'callTool',
      instances.callTool(id, 'echo', { text: of('argument of a call') }).then(() => null),
    );
  }
  await lookAround(infra);

  // Failures at the start.
  const shout =
    'const all = JSON.stringify(process.env); console.error(all); console.log(all); process.exit(3)';
  await dying(
    await instances.create({
      name: name('dying-container'),
      jsonSpec: {
        type: 'docker',
        image: 'mcp/test:latest',
        entrypoint: ['/usr/bin/node', '-e', shout],
        environment: { KEY: of('environment of a container that dies') },
      },
    }),
    /\[secret\]/,
  );
  for (const [behaviour, door, reason] of [
    ['die', 'environment of a process that dies', /\[secret\]/],
    ['refuse', 'environment of a process that refuses', /\[secret\]/],
  ] as const) {
    const command = [process.execPath, leaky, behaviour];
    const jsonSpec = {
      type: 'process',
      command,
      environment: { KEY: of(door) },
      lifecycle: { startup_timeout: 2 },
    } as const;
    await dying(await instances.create({ name: name(behaviour), jsonSpec }), reason);
  }
  await dying(
    await instances.create({
      name: name('no-image'),
      jsonSpec: {
        type: 'docker',
        image: `${remote.registry}/private/server:1`,
        registry: { username: 'me', password: of('registry password') },
      },
    }),
    /[A-Z]/,
  );
  for (const [what, jsonSpec] of [
    [
      'fails',
      {
        type: 'url',
        endpoint: `${remote.origin}/broken/mcp`,
        headers: { Cookie: of('header of a server that fails') },
      },
    ],
    [
      'no-token',
      {
        type: 'url',
        endpoint,
        authentication: {
          type: 'oauth2_client_credentials',
          token_url: `${remote.origin}/broken-token`,
          client_id: 'me',
          client_secret: of('client secret that is refused'),
        },
      },
    ],
  ] as const)
    await dying(await instances.create({ name: name(what), jsonSpec }), /[A-Z]/);

  // Calls that repeat, a crash, restarts.
  const told = await instances.callTool(contained, 'env', { name: 'CLEAR' });
  expect(JSON.stringify(told)).toContain(of('environment in clear'));
  await keep('callTool that fails', instances.callTool(local, 'tell', {}));
  await keep('callTool that crashes', instances.callTool(local, 'tell', { crash: true }));
  await keep('callTool that crashes', instances.callTool(contained, 'crash', { code: 5 }));
  for (const id of [local, contained]) {
    const again = await instances.waitFor(
      id,
      (i) => i.status === 'running' && i.statusDetail.restartCount > 0,
      within(),
    );
    ledger.see('instance after a crash', again);
    await seeLogs(id);
  }
  await keep('restart', instances.restart(filed, waiting()));

  // Changes, rotations, an update that is rolled back.
  const patch = { jsonSpec: { environment: { PATCHED_TOKEN: of('merge patch') } } };
  await keep('plan', instances.plan({ update: contained, patch }));
  await keep('update', instances.update(contained, patch, waiting()));
  await keep(
    'environment.set',
    environment.set(contained, 'ROTATED', of('environment.set'), { secret: true }),
  );
  await instances.waitUntilReady(contained, within());
  await seeEngine(ledger, engine.socketPath);
  await seeProcesses(ledger);
  put('REF', 'rotation in the backend');
  await keep('environment.rotate', environment.rotate(contained, 'ROTATED', of('environment.rotate')));
  await instances.waitUntilReady(contained, within());
  const rolledBack = {
    jsonSpec: {
      entrypoint: ['/usr/bin/node', '-e', shout],
      environment: { BAD_KEY: of('update that is rolled back') },
    },
  };
  // A copy that exits is tried again for a while before the update is given up.
  const patiently = { wait: true, signal: AbortSignal.timeout(150_000) };
  await keep('update that is rolled back', instances.update(contained, rolledBack, patiently));
  expect((await instances.get(contained)).statusDetail.reason).toBe('UPDATE_ROLLED_BACK');
  ledger.see('what arrived elsewhere', remote.arrived.join('\n'));

  // What is refused.
  const taken = { name: name('local'), jsonSpec: { type: 'process', command: ['true'] } } as const;
  await keep('create under a name that is taken', instances.create(taken));
  const refused = [
    { type: 'docker', environment: { COUNT: of('value of a wrong type') } },
    { type: 'docker', environment: {}, registry: { username: 'me', pasword: of('misspelt field') } },
    { type: 'url', endpoint, authentication: { type: 'bearer', tokn: of('misspelt field') } },
    {
      type: 'url',
      endpoint,
      undefined_field: of('misspelt field'),
      headers: { 'X-Key': [of('misspelt field')] },
    },
    { type: 'url', endpoint: `http://me:${encodeURIComponent(of('address with a password'))}@127.0.0.1/mcp` },
  ];
  for (const jsonSpec of refused) {
    const input = { name: name('refused'), serverSpecId: server.id, jsonSpec };
    await keep('validate', instances.validate(input));
    await keep('plan', instances.plan({ create: input }));
    await keep('create that is refused', instances.create(input as never));
    await keep('apply', infra.apply({ instances: [{ name: name('applied'), jsonSpec }] }));
  }
  await lookAround(infra);

  // Another host takes over what runs, and knows no value yet.
  await keep('callTool that fails', instances.callTool(leaking, 'echo', {}));
  await infra.stop();
  const next = await open();
  for (const id of [leaking, contained, filed]) await next.instances.waitFor(id, 'running', within());
  await keep('callTool that fails after a restart', next.instances.callTool(leaking, 'echo', {}));
  for (const id of [leaking, contained]) await keep('logs after a restart', all(next.instances.logs(id)));
  await lookAround(next);

  // The end.
  for (const id of ids) await keep('delete', next.instances.delete(id, waiting()));
  await lookAround(next);
  await next.stop();

  const secrets = ledger.hits.filter(({ door }) => door !== witness.door);
  expect(secrets.filter((hit) => !isAllowed(hit))).toEqual([]);

  // The search works: each value is where it has to be, and what is no secret is everywhere.
  for (const { place, doors } of allowed) {
    const there = new Set(secrets.filter((hit) => place.test(hit.place)).map(({ door }) => door));
    expect([...there].sort(), String(place)).toEqual([...doors].sort());
  }
  const places = new Set(ledger.hits.filter(({ door }) => door === witness.door).map(({ place }) => place));
  for (const place of [
    'arguments of a process',
    'container but for its environment',
    'network',
    'event',
    'log line',
    'console logger',
    'answer of list',
    'answer of export',
    'error of create under a name that is taken',
    'console',
    'table mcpinfra.instances',
    'table mcpinfra.events',
  ])
    expect([...places]).toContain(place);
  for (const file of [/^redis file/, /^postgres file/, engineFiles])
    expect([...places].filter((place) => file.test(place))).not.toEqual([]);
}, 240_000);

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
