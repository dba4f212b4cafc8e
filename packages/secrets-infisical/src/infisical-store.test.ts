import { systemClock } from '@mcpinfra/core/plugin';
import { startInfisicalServer } from '@mcpinfra/tools';
import { expect, it, onTestFinished } from 'vitest';
import { resolveOptions } from './infisical-secrets-options.js';
import { InfisicalStore } from './infisical-store.js';

it('takes a refusal that names no token for a dead token only once the token is a minute old', async () => {
  const server = await startInfisicalServer();
  onTestFinished(() => server.stop());
  server.folders().create('/instances/fs');
  server.folders().set('/instances/fs', 'KEY', 'one');
  let laterMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs };
  const { url: siteUrl, clientId, clientSecret, projectId, environment } = server;
  const options = resolveOptions({ siteUrl, clientId, clientSecret, projectId, environment });
  const store = new InfisicalStore(options, clock);
  onTestFinished(() => store.close());
  const context = { instanceId: '', tenant: '', principal: null };
  const read = async (): Promise<number> =>
    (await store.resolve([{ scope: 'fs', key: 'KEY' }], context)).size;

  expect(await read()).toBe(1);
  server.expireTokens('not-in-project');
  await expect(read()).rejects.toMatchObject({ details: { reason: 'forbidden' } });
  expect(server.logins).toBe(1);
  laterMs = 60_000;
  expect(await read()).toBe(1);
  expect(server.logins).toBe(2);
});
