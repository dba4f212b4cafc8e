import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { RequestListener } from 'node:http';
import type { ErrorCode } from '@mcpinfra/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failing, ready, startInfra } from './support/fleet.js';
import { serve, serveBefore, startFixture } from './support/servers.js';

const answering =
  (status: number, headers: Record<string, string>, body = ''): RequestListener =>
  (incoming, response) => {
    incoming.resume();
    response.writeHead(status, headers).end(body);
  };

const answers: readonly (readonly [string, RequestListener, ErrorCode, RegExp])[] = [
  [
    '500',
    answering(500, { 'content-type': 'text/plain' }, 'out of order'),
    'HTTP_STATUS',
    /answered with status 500: .*out of order/,
  ],
  [
    'a web page',
    answering(200, { 'content-type': 'text/html' }, '<!doctype html>'),
    'PROTOCOL_ERROR',
    /got text\/html: .*doctype/,
  ],
  [
    'nothing in time',
    (incoming) => incoming.resume(),
    'REQUEST_TIMEOUT',
    /did not begin to answer within 0\.2 s, the timeout of its document/,
  ],
  [
    'a redirect to a metadata service',
    answering(307, { location: 'http://169.254.169.254/latest/meta-data/?token=s3cret' }),
    'REDIRECT_REFUSED',
    /redirects \(status 307\) to http:\/\/169\.254\.169\.254\/latest\/meta-data\/, which is another origin/,
  ],
];

describe('a server that cannot be used', () => {
  it.each(answers)('because it answers %s says so', async (_what, listener, reason, message) => {
    const { url } = await serve(listener);
    const infra = await startInfra();
    for (const health_check of [undefined, '/health']) {
      // A page is as good as any to a check of a path.
      if (health_check !== undefined && reason === 'PROTOCOL_ERROR') continue;
      const failed = await failing(infra, { type: 'url', endpoint: url.href, timeout: 0.2, health_check });
      expect(failed.statusDetail.reason).toBe(reason);
      if (health_check === undefined) expect(failed.statusDetail.message).toMatch(message);
      expect(failed.statusDetail.message).not.toContain('s3cret');
      expect(failed.statusDetail.nextRetryAt).not.toBeNull();
      await infra.instances.delete(failed.id, { wait: true });
    }
  });

  it('because nobody listens says so', async () => {
    const infra = await startInfra();
    const failed = await failing(infra, { type: 'url', endpoint: 'http://127.0.0.1:1/mcp' });
    expect(failed.statusDetail).toMatchObject({
      reason: 'CONNECTION_REFUSED',
      message: expect.stringMatching(
        /^Nothing answers at http:\/\/127\.0\.0\.1:1\/mcp \(ECONNREFUSED\)/,
      ) as string,
    });
  });

  it('because its name is unknown says so', async () => {
    const infra = await startInfra();
    const failed = await failing(infra, { type: 'url', endpoint: 'https://no-such-host.invalid/mcp' });
    expect(failed.statusDetail).toMatchObject({
      reason: 'HOST_NOT_FOUND',
      message: expect.stringMatching(
        /^The name no-such-host\.invalid could not be resolved \(E\w+\)/,
      ) as string,
    });
  });

  it('because it speaks no TLS says so', async () => {
    const { url } = await serve(answering(200, {}));
    url.protocol = 'https:';
    const infra = await startInfra();
    const failed = await failing(infra, { type: 'url', endpoint: url.href });
    expect(failed.statusDetail).toMatchObject({ reason: 'PROTOCOL_ERROR' });
  });

  it('because it does not even accept the connection in time says so', async () => {
    // Accepted by the system, never answered: TLS does not get on.
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const infra = await startInfra();
    const failed = await failing(infra, {
      type: 'url',
      endpoint: `https://127.0.0.1:${port}/mcp`,
      timeout: 0.2,
    });
    expect(failed.statusDetail).toMatchObject({
      reason: 'REQUEST_TIMEOUT',
      message: expect.stringContaining('did not begin to answer within 0.2 s') as string,
    });
  });

  it('is tried again, and serves once it can', async () => {
    let status: number | undefined = 500;
    const front = await serveBefore(await startFixture(), () => status);
    const infra = await startInfra();
    const failed = await failing(infra, { type: 'url', endpoint: front.url.href });
    status = undefined;
    const served = await infra.instances.waitUntilReady(failed.id, { signal: AbortSignal.timeout(20_000) });
    expect(served.statusDetail).toMatchObject({ reason: '', health: { state: 'healthy' } });
  });
});

describe('a server that refuses the credentials', () => {
  it.each([401, 403])('with %i is alive', async (status) => {
    const { url } = await serve(answering(status, { 'www-authenticate': 'Bearer' }));
    const infra = await startInfra();
    const instance = await ready(infra, { type: 'url', endpoint: url.href });
    expect(instance).toMatchObject({
      status: 'running',
      statusDetail: { health: { state: 'unauthorized' } },
    });
    await expect(infra.instances.callTool(instance.id, 'echo', {})).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
  });
});

describe('an address that the host does not allow', () => {
  it.each([
    'http://localhost:3333/mcp',
    'http://127.0.0.1:3333/mcp',
    'http://2130706433:3333/mcp',
    'http://[::1]:3333/mcp',
  ])('is refused before anything is made: %s', async (endpoint) => {
    const infra = await startInfra({ allow: [] });
    const refused = infra.instances.create({ name: 'remote', jsonSpec: { type: 'url', endpoint } });
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_SPEC',
      details: {
        issues: [
          {
            path: '/jsonSpec/endpoint',
            message: expect.stringMatching(/urlProvider\(\{ allow: \["\S+:3333"\] \}\)/) as string,
          },
        ],
      },
    });
  });

  it('is refused as a token endpoint too', async () => {
    const infra = await startInfra({ allow: [] });
    const { valid, issues } = await infra.instances.validate({
      name: 'remote',
      jsonSpec: {
        type: 'url',
        endpoint: 'https://mcp.example/mcp',
        authentication: {
          type: 'oauth2_client_credentials',
          token_url: 'http://169.254.169.254/token',
          client_id: 'me',
          client_secret: 'secret_ref:instance_1:SECRET',
        },
      },
    });
    expect(valid).toBe(false);
    expect(issues).toMatchObject([
      {
        path: '/jsonSpec/authentication/token_url',
        message: expect.stringContaining('cloud metadata service') as string,
      },
    ]);
  });
});
