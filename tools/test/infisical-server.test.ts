import { describe, expect, it, onTestFinished } from 'vitest';
import { type InfisicalServer, type InfisicalServerOptions, startInfisicalServer } from '../src/index.js';

async function start(options?: InfisicalServerOptions): Promise<InfisicalServer> {
  const server = await startInfisicalServer(options);
  onTestFinished(() => server.stop());
  return server;
}

interface Asked {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly body?: object;
}

async function ask(server: InfisicalServer, path: string, { method = 'GET', token, body }: Asked = {}) {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    headers: answer.headers,
    body: (await answer.json()) as Record<string, unknown>,
  };
}

const raw = '/api/v3/secrets/raw';
const where = 'workspaceId=project-1&environment=dev&secretPath=%2Fa';
const place = { workspaceId: 'project-1', environment: 'dev', secretPath: '/a' };

function login(server: InfisicalServer, clientSecret = server.clientSecret) {
  const body = { clientId: server.clientId, clientSecret };
  return ask(server, '/api/v1/auth/universal-auth/login', { method: 'POST', body });
}

it('gives a token for the right credentials, with which a secret is written and read', async () => {
  const server = await start();
  const { status, body } = await login(server);
  expect([status, body['tokenType'], body['expiresIn']]).toEqual([200, 'Bearer', 600]);
  const token = String(body['accessToken']);
  const folder = { workspaceId: 'project-1', environment: 'dev', path: '/', name: 'a' };
  expect((await ask(server, '/api/v1/folders', { method: 'POST', token, body: folder })).status).toBe(200);
  const secret = { ...place, secretValue: ' padded\n' };
  expect((await ask(server, `${raw}/KEY`, { method: 'POST', token, body: secret })).status).toBe(200);
  // As servers do, it cuts white space off.
  const { body: one } = await ask(server, `${raw}/KEY?${where}`, { token });
  expect(one['secret']).toMatchObject({ secretKey: 'KEY', secretValue: 'padded\n' });
  const { body: all } = await ask(server, `${raw}?${where}`, { token });
  expect(all).toMatchObject({ secrets: [{ secretKey: 'KEY', secretPath: '/a' }], imports: [] });
  // An empty name is the list.
  expect((await ask(server, `${raw}/?${where}`, { token })).body).toEqual(all);
});

describe.each([
  [
    '2024-09',
    {
      login: 403,
      secret: 400,
      folder: 400,
      project: 400,
      action: 401,
      none: 403,
      dead: 500,
      row: 403,
      input: 403,
    },
  ],
  [
    'newer',
    {
      login: 401,
      secret: 404,
      folder: 404,
      project: 404,
      action: 403,
      none: 401,
      dead: 403,
      row: 401,
      input: 422,
    },
  ],
] as const)('a server of %s', (generation, statuses) => {
  it('refuses with the statuses of its generation', async () => {
    const server = await start({ generation });
    server.folders().create('/a');
    const token = server.grantToken();
    const get = (path: string, with_: string | undefined = token) => ask(server, path, { token: with_ });
    const post = (body: object) => ask(server, `${raw}/KEY`, { method: 'POST', token, body });
    expect((await login(server, 'wrong')).status).toBe(statuses.login);
    expect((await get(`${raw}/KEY?${where}`)).status).toBe(statuses.secret);
    expect((await get(`${raw}/KEY?${where}b`)).status).toBe(statuses.folder);
    expect(await get(`${raw}?${where}b`)).toMatchObject({ status: 200, body: { secrets: [] } });
    expect((await ask(server, `${raw}?${where}`)).status).toBe(statuses.none);
    const malformed = await post(place);
    expect(malformed.status).toBe(statuses.input);
    expect(malformed.body['message']).toBeInstanceOf(Array);
    server.controls.isReadOnly = true;
    expect((await post({ ...place, secretValue: 'x' })).status).toBe(statuses.action);
    server.controls.refusal = 'not-in-project';
    expect((await get(`${raw}?${where}`)).status).toBe(403);
    server.controls.refusal = 'unknown-project';
    expect((await get(`${raw}?${where}`)).status).toBe(statuses.project);
    server.controls.refusal = undefined;
    server.expireTokens('token-row-gone');
    expect((await get(`${raw}?${where}`)).status).toBe(statuses.row);
    expect((await get(`${raw}?${where}`)).body['message']).toMatch(/^You are not/u);
    server.expireTokens('token-expired');
    expect((await get(`${raw}?${where}`)).status).toBe(statuses.dead);
  });
});

it('admits so many requests of a route in a window', async () => {
  const server = await start();
  const token = server.grantToken();
  server.limitRate({ requests: 2, windowMs: 60_000 });
  const read = () => ask(server, `${raw}?${where}`, { token });
  expect([(await read()).status, (await read()).status]).toEqual([200, 200]);
  const { status, headers } = await read();
  expect(status).toBe(429);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(50);
  server.limitRate(undefined);
  expect((await read()).status).toBe(200);
});

it('tells what it received, without credentials', async () => {
  const server = await start();
  await login(server);
  await ask(server, `${raw}?${where}`, { token: server.grantToken() });
  expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /api/v1/auth/universal-auth/login',
    `GET ${raw}`,
  ]);
  expect(JSON.stringify(server.requests)).not.toMatch(/eyJ|canary/u);
});
