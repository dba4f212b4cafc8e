import { createMCPInfra } from '@mcpinfra/core';
import { fakeProvider } from '@mcpinfra/core/testing';
import { startInfisicalServer } from '@mcpinfra/tools';
import { expect, it, onTestFinished } from 'vitest';
import { seed, startServer, storeOn } from './support/infisical.js';

const tools = {
  key: (_args: unknown, { environment }: { readonly environment: Readonly<Record<string, string>> }) =>
    environment['API_KEY'],
};
const patience = { timeout: 15_000, interval: 50 };

it('a fleet starts while Infisical is away, says so of its instances, and runs them when it is back', async () => {
  const away = await startInfisicalServer();
  await away.stop();
  const infra = createMCPInfra({
    providers: [fakeProvider({ tools })],
    secrets: [storeOn(away, { maxAttempts: 1 })],
  });
  onTestFinished(async () => {
    await infra.stop();
  });
  await infra.start();
  const jsonSpec = {
    type: 'docker',
    image: 'mcp/fs',
    environment: { API_KEY: 'secret_ref:vault:KEY' },
  } as const;
  const { id } = await infra.instances.create({ name: 'fs', jsonSpec });
  await expect
    .poll(async () => (await infra.instances.get(id)).statusDetail.reason, patience)
    .toBe('SECRET_BACKEND_FAILED');
  const { statusDetail } = await infra.instances.get(id);
  expect(statusDetail.message).toContain('could not be reached (ECONNREFUSED)');
  expect(statusDetail.nextRetryAt).not.toBeNull();

  const back = await startServer({ port: away.port });
  seed(back, '/instances/vault', { KEY: 'value-canary' });
  await expect.poll(async () => (await infra.instances.get(id)).status, patience).toBe('running');
});

it('keeps what an instance is given in clear, hands out what it is rotated to, and deletes it with the instance', async () => {
  const server = await startServer();
  const infra = createMCPInfra({ providers: [fakeProvider({ tools })], secrets: [storeOn(server)] });
  onTestFinished(async () => {
    await infra.stop();
  });
  await infra.start();
  const jsonSpec = { type: 'docker', image: 'mcp/fs', environment: { API_KEY: 'first-canary' } } as const;
  const { id } = await infra.instances.create({ name: 'fs', jsonSpec });
  await infra.instances.waitUntilReady(id);
  const path = `/instances/instance_${id}`;
  const key = async (): Promise<string> => JSON.stringify(await infra.instances.callTool(id, 'key'));
  const kept = () =>
    [...(server.folders().at(path) ?? [])].map(([name, value]) => [name.slice(0, 20), value]);
  expect(kept()).toEqual([['environment.API_KEY.', 'first-canary']]);
  expect(await key()).toContain('first-canary');

  await infra.environment.rotate(id, 'API_KEY', 'second-canary');
  await expect.poll(key, patience).toContain('second-canary');
  // The value before goes once the copy that has it cannot come back.
  expect(kept()).toContainEqual(['environment.API_KEY.', 'second-canary']);

  await infra.instances.delete(id, { wait: true });
  await expect.poll(() => server.folders().at(path)?.size, patience).toBe(0);
});
