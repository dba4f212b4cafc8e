import { describe, expect, it, onTestFinished } from 'vitest';
import {
  externalCredentials,
  type ExternalServer,
  type ExternalServerOptions,
  startExternalServer,
} from '../src/index.js';
import { callText, connectHttp, createClient } from './support/clients.js';

const { token, username, password, headerName, headerValue, clientId, clientSecret } = externalCredentials;

it('serves the protocol at /mcp and its health at /health', async () => {
  const { origin } = await external();
  const client = createClient('legacy');
  await connectHttp(client, `${origin}/mcp`);
  expect(await callText(client, 'echo', { text: 'from afar' })).toBe('from afar');
  expect((await fetch(`${origin}/health`)).status).toBe(200);
  expect((await fetch(`${origin}/mcp/health`)).status).toBe(200);
});

it('listens on the port it is given, until it is stopped', async () => {
  const first = await external();
  await first.stop();
  await expect(fetch(`${first.origin}/health`)).rejects.toThrow();
  const second = await external({ port: first.port });
  expect((await fetch(`${second.origin}/health`)).status).toBe(200);
});

describe('a path that fails', () => {
  it.each([
    ['500', 500, 'text/plain'],
    ['html', 200, 'text/html'],
    ['redirect', 307, null],
    ['401', 401, 'application/json'],
  ])('%s answers %i', async (variant, status, type) => {
    const { origin } = await external();
    const response = await fetch(`${origin}/${variant}/health`, { redirect: 'manual' });
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
  });

  it('redirects where it is told to', async () => {
    const { origin } = await external();
    const to = 'http://169.254.169.254/latest';
    const response = await fetch(`${origin}/redirect/mcp?to=${encodeURIComponent(to)}`, {
      redirect: 'manual',
    });
    expect(response.headers.get('location')).toBe(to);
  });

  it('answers late', async () => {
    const { origin } = await external();
    const signal = AbortSignal.timeout(100);
    await expect(fetch(`${origin}/slow/health`, { signal })).rejects.toThrow('timeout');
    expect((await fetch(`${origin}/slow/health?ms=1`)).status).toBe(200);
  });
});

describe('a path that insists on credentials', () => {
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

  it.each([
    ['bearer', { authorization: `Bearer ${token}` }, 401],
    ['basic', { authorization: basic }, 401],
    ['header', { [headerName]: headerValue }, 403],
  ])('%s lets them in and nothing else', async (variant, headers, refusal) => {
    const { origin, requests } = await external();
    expect((await fetch(`${origin}/${variant}/health`, { headers })).status).toBe(200);
    expect((await fetch(`${origin}/${variant}/health`)).status).toBe(refusal);
    expect(requests.map(({ path }) => path)).toEqual([`/${variant}/health`, `/${variant}/health`]);
    expect(requests[0]?.headers).toMatchObject(headers);
  });

  it('takes a token of its own endpoint until that is over or revoked', async () => {
    const server = await external({ tokenLifetimeMs: 300 });
    const authorization = await authorize(server);
    const status = async () =>
      (await fetch(`${server.origin}/oauth/health`, { headers: { authorization } })).status;
    expect(await status()).toBe(200);
    await expect.poll(status).toBe(401);
    const lasting = await external();
    const headers = { authorization: await authorize(lasting) };
    expect((await fetch(`${lasting.origin}/oauth/health`, { headers })).status).toBe(200);
    lasting.revokeTokens();
    expect((await fetch(`${lasting.origin}/oauth/health`, { headers })).status).toBe(401);
  });

  it('says where tokens are to be had, and counts who asks', async () => {
    const { origin, tokenRequests } = await external();
    const refused = await fetch(`${origin}/oauth/mcp`);
    const [, resource] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate')!)!;
    const { authorization_servers: issuers } = (await (await fetch(resource!)).json()) as {
      authorization_servers: string[];
    };
    const metadata = await fetch(`${issuers[0]!}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({ token_endpoint: `${origin}/oauth/token` });
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'someone' });
    expect((await fetch(`${origin}/oauth/token`, { method: 'POST', body })).status).toBe(401);
    expect(tokenRequests).toEqual([{ grant_type: 'client_credentials', client_id: 'someone' }]);
  });
});

async function external(options?: ExternalServerOptions): Promise<ExternalServer> {
  const server = await startExternalServer(options);
  onTestFinished(async () => server.stop());
  return server;
}

async function authorize({ origin }: ExternalServer): Promise<string> {
  const response = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    }),
  });
  const { access_token: accessToken } = (await response.json()) as { access_token: string };
  return `Bearer ${accessToken}`;
}
