import type { IncomingHttpHeaders } from 'node:http';
import type { UrlSpec } from '@mcpinfra/provider-url';
import { describe, expect, it } from 'vitest';
import { failing, reach, ready, startInfra, until } from './support/fleet.js';
import { serve, serveBefore, startFixture, type OwnServer } from './support/servers.js';

const secrets = {
  'instance_1:TOKEN': 'tok-0123456789',
  'instance_1:PASSWORD': 'pass wörd',
  'instance_1:SECRET': 'cl&ient=secret',
};

async function headersSentFor(rest: Partial<UrlSpec>): Promise<IncomingHttpHeaders> {
  const front = await serveBefore(await startFixture());
  const infra = await startInfra({ secrets });
  const { id } = await ready(infra, { type: 'url', endpoint: front.url.href, ...rest });
  const probed = front.seen.length;
  await infra.instances.callTool(id, 'echo', { text: 'hi' });
  const authorizations = new Set(front.seen.map(({ authorization }) => authorization));
  // Probes and calls show the same.
  expect(front.seen.length).toBeGreaterThan(probed);
  expect(authorizations.size).toBe(1);
  return front.seen.at(-1) ?? {};
}

/** An authorization server that gives token-1, token-2, … */
async function authorizationServer(
  options: { readonly expiresIn?: number; readonly judge?: (request: Asked) => number | undefined } = {},
): Promise<OwnServer & { readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const server = await serve((incoming, response) => {
    let text = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => (text += chunk));
    incoming.on('end', () => {
      const request = {
        authorization: incoming.headers.authorization,
        form: Object.fromEntries(new URLSearchParams(text)),
      };
      asked.push(request);
      const status = options.judge?.(request) ?? 200;
      const token = {
        access_token: `token-${asked.length}`,
        token_type: 'Bearer',
        expires_in: options.expiresIn ?? 3_600,
      };
      const body = status === 200 ? token : { error: 'invalid_client', error_description: `no ${text}` };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  return { ...server, asked };
}

interface Asked {
  readonly authorization: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

function clientCredentials(tokenServer: OwnServer): UrlSpec['authentication'] {
  return {
    type: 'oauth2_client_credentials',
    token_url: new URL('/token', tokenServer.url).href,
    client_id: 'me:too',
    client_secret: 'secret_ref:instance_1:SECRET',
    scope: 'mcp tools',
    audience: 'https://mcp.example',
    resource: 'https://mcp.example/mcp',
  };
}

describe('credentials', () => {
  it('are headers whose references are resolved', async () => {
    const headers = { 'X-Tenant': 'acme', 'X-Key': 'key ${secret_ref:instance_1:TOKEN}!' };
    expect(await headersSentFor({ headers })).toMatchObject({
      'x-tenant': 'acme',
      'x-key': 'key tok-0123456789!',
    });
  });

  it('are a bearer token', async () => {
    const authentication = { type: 'bearer', token: 'secret_ref:instance_1:TOKEN' } as const;
    expect(await headersSentFor({ authentication })).toMatchObject({
      authorization: 'Bearer tok-0123456789',
    });
  });

  it('are a user name and a password', async () => {
    const authentication = {
      type: 'basic',
      username: 'me',
      password: 'secret_ref:instance_1:PASSWORD',
    } as const;
    const expected = `Basic ${Buffer.from('me:pass wörd').toString('base64')}`;
    expect(await headersSentFor({ authentication })).toMatchObject({ authorization: expected });
  });

  it('are a header of any name', async () => {
    const authentication = {
      type: 'header',
      name: 'X-Api-Key',
      value: 'secret_ref:instance_1:TOKEN',
    } as const;
    expect(await headersSentFor({ authentication })).toMatchObject({ 'x-api-key': 'tok-0123456789' });
  });

  it('that cannot be resolved fail the start by their name', async () => {
    const infra = await startInfra();
    const authentication = { type: 'bearer', token: 'secret_ref:instance_1:GONE' } as const;
    const failed = await failing(infra, { type: 'url', endpoint: 'http://127.0.0.1:1/mcp', authentication });
    expect(failed.statusDetail).toMatchObject({
      reason: 'SECRET_NOT_FOUND',
      message: expect.stringContaining('secret_ref:instance_1:GONE') as string,
    });
  });

  it('that HTTP cannot carry fail the start, and are not told', async () => {
    const infra = await startInfra({ secrets: { 'instance_1:TOKEN': 'two-lines\nof-token' } });
    const authentication = { type: 'bearer', token: 'secret_ref:instance_1:TOKEN' } as const;
    const failed = await failing(infra, { type: 'url', endpoint: 'http://127.0.0.1:1/mcp', authentication });
    expect(failed.statusDetail.message).toMatch(/^The value of the header Authorization holds a line break/);
    expect(JSON.stringify(failed)).not.toContain('of-token');
  });
});

describe('an access token', () => {
  it('is asked for once for all who need it', async () => {
    const tokens = await authorizationServer();
    const front = await serveBefore(await startFixture());
    const infra = await startInfra({ secrets });
    const { id } = await ready(infra, {
      type: 'url',
      endpoint: front.url.href,
      authentication: clientCredentials(tokens),
    });
    await Promise.all(Array.from({ length: 5 }, () => infra.instances.callTool(id, 'echo', { text: 'hi' })));
    expect(new Set(front.seen.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer token-1']),
    );
    expect(tokens.asked).toEqual([
      {
        authorization: `Basic ${Buffer.from('me%3Atoo:cl%26ient%3Dsecret').toString('base64')}`,
        form: {
          grant_type: 'client_credentials',
          scope: 'mcp tools',
          audience: 'https://mcp.example',
          resource: 'https://mcp.example/mcp',
        },
      },
    ]);
  });

  it('is asked for with the fields of the form where Basic is refused', async () => {
    const tokens = await authorizationServer({
      judge: ({ form }) => (form['client_secret'] === undefined ? 401 : undefined),
    });
    const front = await serveBefore(await startFixture());
    const infra = await startInfra({ secrets });
    await ready(infra, { type: 'url', endpoint: front.url.href, authentication: clientCredentials(tokens) });
    expect(tokens.asked.at(-1)).toMatchObject({
      authorization: undefined,
      form: { client_id: 'me:too', client_secret: 'cl&ient=secret' },
    });
  });

  it('is replaced before it ends', async () => {
    const tokens = await authorizationServer({ expiresIn: 0.5 });
    const front = await serveBefore(await startFixture());
    const infra = await startInfra({ secrets });
    const health_check = { interval: 0.25 };
    await ready(infra, {
      type: 'url',
      endpoint: front.url.href,
      authentication: clientCredentials(tokens),
      health_check,
    });
    await until(() => front.seen.at(-1)?.authorization === 'Bearer token-3');
  });

  it('is replaced when the server refuses it', async () => {
    let revoked = '';
    const tokens = await authorizationServer();
    const front = await serveBefore(await startFixture(), ({ authorization }) =>
      authorization === revoked ? 401 : undefined,
    );
    const infra = await startInfra({ secrets });
    const { id } = await ready(infra, {
      type: 'url',
      endpoint: front.url.href,
      authentication: clientCredentials(tokens),
    });
    revoked = 'Bearer token-1';
    await expect(infra.instances.callTool(id, 'echo', { text: 'hi' })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
    expect(await infra.instances.callTool(id, 'echo', { text: 'hi' })).toMatchObject({
      content: [{ text: 'hi' }],
    });
    expect(tokens.asked).toHaveLength(2);
  });

  it('that is refused is no word of the server: the start fails and says so, without what was sent', async () => {
    const tokens = await authorizationServer({ judge: () => 401 });
    const infra = await startInfra({ secrets });
    const endpoint = (await startFixture()).href;
    const failed = await failing(infra, { type: 'url', endpoint, authentication: clientCredentials(tokens) });
    expect(failed.statusDetail).toMatchObject({
      reason: 'UNAUTHORIZED',
      message: expect.stringMatching(
        /^The token endpoint http:\/\/127\.0\.0\.1:\d+\/token refused the client credentials \(status 401, invalid_client\)/,
      ) as string,
    });
    expect(JSON.stringify(failed)).not.toMatch(/ient=secret|ient%3Dsecret|error_description/);
  });

  it.each([
    [500, /answered with status 500/],
    [302, /answered with status 302/],
    [204, /answered with status 204|without an access_token/],
  ])('is not there when the endpoint answers %i', async (status, message) => {
    const tokens = await serve((_incoming, response) =>
      response.writeHead(status, { location: 'http://10.0.0.1/' }).end(),
    );
    const infra = await startInfra({ secrets });
    const endpoint = (await startFixture()).href;
    const failed = await failing(infra, { type: 'url', endpoint, authentication: clientCredentials(tokens) });
    expect(failed.statusDetail).toMatchObject({
      reason: 'TOKEN_REQUEST_FAILED',
      message: expect.stringMatching(message) as string,
    });
  });

  it('is asked for anew when the authorization server is back', async () => {
    let down = true;
    const tokens = await authorizationServer({ judge: () => (down ? 503 : undefined) });
    const infra = await startInfra({ secrets });
    const endpoint = (await startFixture()).href;
    const { id } = await failing(infra, { type: 'url', endpoint, authentication: clientCredentials(tokens) });
    down = false;
    await reach(infra, id, ({ status }) => status === 'running');
  });
});
