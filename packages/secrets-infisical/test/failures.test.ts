import { inspect } from 'node:util';
import { MCPInfraError, type SecretStore } from '@mcpinfra/core/plugin';
import { infisicalSecrets } from '@mcpinfra/secrets-infisical';
import { type InfisicalServer, startInfisicalServer } from '@mcpinfra/tools';
import { describe, expect, it, onTestFinished } from 'vitest';
import { generations, reveal, seed, startServer, storeOn } from './support/infisical.js';

const canary = 'value-canary';
const one = { 'fs:KEY': canary };

/** The error of a resolve that has to fail; nothing in it may be a value or a credential. */
async function refusal(store: SecretStore, server?: InfisicalServer): Promise<MCPInfraError> {
  const error = await reveal(store, ['fs:KEY']).catch((thrown: unknown) => thrown);
  if (!MCPInfraError.isInstance(error)) return expect.fail(`resolved, or rejected with ${inspect(error)}`);
  const text = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(error);
  expect(text).not.toMatch(/value-canary|client-secret|eyJ/u);
  if (server) expect(error.message).toContain(server.url);
  expect(error.code).toBe('SECRET_BACKEND_FAILED');
  return error;
}

describe.each(generations)('on a server of %s', (generation) => {
  it('a wrong client secret is refused by one login, says what to check, and nothing has to be restarted', async () => {
    const server = await startServer({ generation });
    seed(server, '/instances/fs', { KEY: canary });
    const store = storeOn(server, { clientSecret: 'wrong-client-secret' });
    const error = await refusal(store, server);
    expect(error.details['reason']).toBe('credentials-refused');
    expect(error.message).toContain('check clientId and clientSecret');
    expect(server.logins).toBe(1);
    expect(error.retryable).toBe(true);
  });

  it('a project of others is told from an expired token: one login, and it works once the right is given', async () => {
    const server = await startServer({ generation });
    seed(server, '/instances/fs', { KEY: canary });
    server.controls.refusal = 'not-in-project';
    const store = storeOn(server);
    for (let time = 0; time < 3; time += 1) {
      const error = await refusal(store);
      expect(error.details).toMatchObject({
        reason: 'forbidden',
        projectId: 'project-1',
        path: '/instances/fs',
      });
      expect(error.message).toContain('add it to the project with a role that may read secrets');
    }
    expect(server.logins).toBe(1);
    server.controls.refusal = undefined;
    expect(await reveal(store, ['fs:KEY'])).toEqual(one);
  });

  it('an unknown project is no absent secret', async () => {
    const server = await startServer({ generation });
    server.controls.refusal = 'unknown-project';
    const error = await refusal(storeOn(server));
    expect(error.details['reason']).toBe('not-found');
    expect(error.message).toContain('check projectId and environment');
  });

  it.each(['token-expired', 'token-row-gone'] as const)(
    'a token that died early (%s) costs one login',
    async (how) => {
      const server = await startServer({ generation });
      seed(server, '/instances/fs', { KEY: canary });
      const store = storeOn(server);
      expect(await reveal(store, ['fs:KEY'])).toEqual(one);
      server.expireTokens(how);
      const many = Array.from({ length: 10 }, () => reveal(store, ['fs:KEY']));
      for (const found of await Promise.all(many)) expect(found).toEqual(one);
      expect(server.logins).toBe(2);
    },
  );

  it('a token is replaced before it ends by its own clock', async () => {
    const server = await startServer({ generation, tokenLifeMs: 300 });
    seed(server, '/instances/fs', { KEY: canary });
    const store = storeOn(server);
    await expect
      .poll(
        async () => {
          expect(await reveal(store, ['fs:KEY'])).toEqual(one);
          return server.logins;
        },
        { timeout: 10_000, interval: 30 },
      )
      .toBeGreaterThanOrEqual(3);
    // None was sent with a token that the server had to refuse.
    const reads = server.requests.filter(({ method }) => method === 'GET').length;
    expect(server.requests).toHaveLength(reads + server.logins);
  });

  it('tokens that are dead when they come are asked for twice, never more', async () => {
    const server = await startServer({ generation, tokenLifeMs: 0 });
    const error = await refusal(storeOn(server), server);
    expect(error.details['reason']).toBe('token-refused');
    expect(server.logins).toBe(2);
  });

  it('a rate limit is waited for where there is time, and told at once where there is none', async () => {
    const server = await startServer({ generation });
    seed(server, '/instances/fs', { KEY: canary });
    server.limitRate({ requests: 1, windowMs: 600 });
    const patient = storeOn(server);
    expect(await reveal(patient, ['fs:KEY'])).toEqual(one);
    expect(await reveal(patient, ['fs:KEY'])).toEqual(one);
    expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(3);

    server.limitRate({ requests: 1, windowMs: 60_000 });
    const hasty = storeOn(server, { timeoutMs: 5_000 });
    await reveal(hasty, ['fs:KEY']).catch(() => undefined);
    const before = server.requests.length;
    const error = await refusal(hasty);
    expect(error.details['reason']).toBe('rate-limited');
    expect(error.details['retryAfterMs']).toBeGreaterThan(50_000);
    expect(error.message).toContain('raise its rate limit');
    for (let time = 0; time < 20; time += 1) await refusal(hasty);
    // While it wants to be left alone it is.
    expect(server.requests.length - before).toBeLessThanOrEqual(1);
  });

  it('a value that the identity may not read is a missing right, not a value', async () => {
    const server = await startServer({ generation: 'newer' });
    seed(server, '/instances/fs', { KEY: canary });
    server.controls.hidesValues = true;
    const error = await refusal(storeOn(server));
    expect(error.details['reason']).toBe('forbidden');
    expect(error.message).toContain('fs:KEY');
  });
});

describe('a server that is away', () => {
  it('is no obstacle to making and closing a store, fails with its address, and is found when it is back', async () => {
    const first = await startInfisicalServer();
    await first.stop();
    const store = storeOn(first);
    const error = await refusal(store, first);
    expect(error.details['reason']).toBe('unreachable');
    expect(error.message).toMatch(/could not be reached \(ECONNREFUSED\): check siteUrl/u);
    const second = await startServer({ port: first.port });
    seed(second, '/instances/fs', { KEY: canary });
    expect(await reveal(store, ['fs:KEY'])).toEqual(one);
  });

  it.each(['error', 'reset'] as const)('for a moment (%s) is ridden out', async (how) => {
    const server = await startServer();
    seed(server, '/instances/fs', { KEY: canary });
    server.controls.misbehaviour = { how, times: 2 };
    expect(await reveal(storeOn(server), ['fs:KEY'])).toEqual(one);
    expect(server.requests).toHaveLength(4);
  });

  it('is not stormed: so many attempts for each folder, so many at once', async () => {
    const server = await startServer();
    const store = storeOn(server, { maxAttempts: 3, maxConnections: 4 });
    await reveal(store, ['fs:KEY']);
    server.controls.misbehaviour = { how: 'error' };
    server.controls.delayMs = 20;
    const before = server.requests.length;
    const ids = Array.from({ length: 40 }, (_, index) => `fs${index}:KEY`);
    const outcomes = await Promise.allSettled(ids.map((id) => reveal(store, [id])));
    for (const { status } of outcomes) expect(status).toBe('rejected');
    expect(server.requests.length - before).toBe(40 * 3);
    expect(server.mostAtOnce).toBe(4);
  });

  it('is left alone by a batch of which one folder has failed', async () => {
    const server = await startServer();
    const store = storeOn(server, { maxAttempts: 1, maxConnections: 4 });
    await reveal(store, ['fs:KEY']);
    server.controls.misbehaviour = { how: 'error' };
    server.controls.delayMs = 20;
    const before = server.requests.length;
    const ids = Array.from({ length: 200 }, (_, index) => `fs${index}:KEY`);
    await expect(reveal(store, ids)).rejects.toMatchObject({ details: { reason: 'server-error' } });
    server.controls.misbehaviour = undefined;
    // What were left of the batch would come first.
    await reveal(store, ['fs:KEY']);
    expect(server.requests.length - before).toBeLessThan(20);
  });

  it('is asked to log in by one request for all', async () => {
    const server = await startServer();
    const store = storeOn(server);
    await Promise.all(Array.from({ length: 30 }, (_, index) => reveal(store, [`fs${index}:KEY`])));
    expect(server.logins).toBe(1);
  });
});

describe('an answer', () => {
  it.each(['hang', 'stall', 'trickle'] as const)(
    'that does not end (%s) is given up at the deadline',
    async (how) => {
      const server = await startServer();
      const store = storeOn(server, { timeoutMs: 400 });
      await reveal(store, ['fs:KEY']);
      server.controls.misbehaviour = { how };
      const error = await refusal(store);
      expect(error.details['reason']).toBe('timeout');
      expect(error.message).toContain('within 400 ms');
      server.controls.misbehaviour = undefined;
      seed(server, '/instances/fs', { KEY: canary });
      expect(await reveal(store, ['fs:KEY'])).toEqual(one);
    },
  );

  it('that does not go on is asked for again', async () => {
    const server = await startServer();
    seed(server, '/instances/fs', { KEY: canary });
    const store = storeOn(server, { requestTimeoutMs: 300 });
    await reveal(store, ['fs:KEY']);
    server.controls.misbehaviour = { how: 'stall', times: 1 };
    expect(await reveal(store, ['fs:KEY'])).toEqual(one);
  });

  it('is no longer waited for when the caller aborts', async () => {
    const server = await startServer();
    const store = storeOn(server);
    await reveal(store, ['fs:KEY']);
    server.controls.misbehaviour = { how: 'stall' };
    const aborting = new AbortController();
    const before = server.requests.length;
    const reading = reveal(store, ['fs:KEY'], aborting.signal);
    await expect.poll(() => server.requests.length).toBe(before + 1);
    aborting.abort();
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' });
    await expect.poll(() => server.underWay).toBe(0);
  });

  it.each([
    ['html', 'no login page before it'],
    ['redirect', 'a redirect'],
    ['malformed', 'no answer of its API'],
    ['huge', 'more than 8 MiB'],
  ] as const)('of another kind (%s) is no absent secret', async (how, said) => {
    const server = await startServer();
    const store = storeOn(server);
    await reveal(store, ['fs:KEY']);
    server.controls.misbehaviour = { how };
    const error = await refusal(store);
    expect(error.details['reason']).toBe('unexpected-answer');
    expect(error.message).toContain(said);
  });

  it.each(['html', 'redirect'] as const)('to a login that is none (%s) points at siteUrl', async (how) => {
    const server = await startServer();
    server.controls.misbehaviour = { how };
    const error = await refusal(storeOn(server), server);
    expect(error.details['reason']).toBe('unexpected-answer');
    expect(error.message).toContain('siteUrl');
  });
});

describe('a token given by the host', () => {
  const token = (server: InfisicalServer, given: string | (() => string | Promise<string>)): SecretStore => {
    const { url: siteUrl, projectId, environment } = server;
    const store = infisicalSecrets({ siteUrl, projectId, environment, token: given });
    onTestFinished(() => store.close?.());
    return store;
  };

  it('is used without a login, and refused with what to do when it has expired', async () => {
    const server = await startServer();
    seed(server, '/instances/fs', { KEY: canary });
    const store = token(server, server.grantToken());
    expect(await reveal(store, ['fs:KEY'])).toEqual(one);
    server.expireTokens();
    const error = await refusal(store, server);
    expect(error.details['reason']).toBe('token-refused');
    expect(error.message).toContain('give infisicalSecrets a token');
    expect(server.logins).toBe(0);
  });

  it('is asked for again when it was a function that gave it', async () => {
    const server = await startServer();
    seed(server, '/instances/fs', { KEY: canary });
    const store = token(server, async () => server.grantToken());
    expect(await reveal(store, ['fs:KEY'])).toEqual(one);
    server.expireTokens();
    expect(await reveal(store, ['fs:KEY'])).toEqual(one);
  });

  it('whose function fails shows nothing of why', async () => {
    const server = await startServer();
    const error = await refusal(token(server, () => Promise.reject(new Error('client-secret in a file'))));
    expect(error.details['reason']).toBe('credentials-refused');
  });
});

it('a closed store ends what it has under way, and serves nothing more', async () => {
  const server = await startServer();
  const store = storeOn(server);
  server.controls.misbehaviour = { how: 'hang' };
  const reading = refusal(store);
  await expect.poll(() => server.requests.length).toBe(1);
  await store.close?.();
  expect((await reading).details['reason']).toBe('closed');
  expect((await refusal(store)).details['reason']).toBe('closed');
});
