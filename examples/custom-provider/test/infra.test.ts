import { createMCPInfra, memorySecrets, type MCPInfra } from '@mcpinfra/core';
import { fixtureServer } from '@mcpinfra/tools';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { moduleProvider, type ModuleSpec } from '../src/module-provider.js';

const fixture = { type: 'module', module: fixtureServer, args: ['--stdio'] } as const;
const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(25_000) });

async function started(): Promise<MCPInfra<ModuleSpec>> {
  const secrets = [memorySecrets({ 'keys:API': 'a value only the server sees' })];
  const infra = createMCPInfra({ providers: [moduleProvider()], secrets });
  await infra.start();
  onTestFinished(async () => {
    await infra.stop();
  });
  return infra;
}

it('gives a module its secrets, and starts it again when it crashes', async () => {
  const infra = await started();
  const environment = { KEY: 'secret_ref:keys:API' } as const;
  const { id } = await infra.instances.create({ name: 'one', jsonSpec: { ...fixture, environment } });
  await infra.instances.waitUntilReady(id, soon());
  const { content } = await infra.instances.callTool(id, 'env', { name: 'KEY' });
  expect(content).toEqual([{ type: 'text', text: 'a value only the server sees' }]);
  await infra.instances.callTool(id, 'crash', { code: 3 }).catch(() => undefined);
  const again = await infra.instances.waitFor(
    id,
    ({ status, statusDetail }) => status === 'running' && statusDetail.restartCount === 1,
    soon(),
  );
  expect(again.statusDetail.lastExit).toMatchObject({
    exitCode: 3,
    lastLogLines: ['crash: exiting with code 3'],
  });
  expect((await infra.instances.callTool(id, 'counter')).content).toEqual([{ type: 'text', text: '1' }]);
});

it('says what a module threw that does not run', async () => {
  const infra = await started();
  const module = fileURLToPath(new URL('throwing-server.mjs', import.meta.url));
  const { id } = await infra.instances.create({ name: 'faulty', jsonSpec: { type: 'module', module } });
  const failed = await infra.instances.waitFor(id, 'failed', soon());
  expect(failed.statusDetail.reason).toBe('EXITED_AT_START');
  expect(failed.statusDetail.lastExit?.lastLogLines).toEqual(['TypeError: the module has a fault']);
});

it('refuses a document that is none of its type, when it is compiled too', async () => {
  const infra = await started();
  // @ts-expect-error it is called module
  const misspelled = infra.instances.create({ name: 'x', jsonSpec: { type: 'module', modul: './x.js' } });
  await expect(misspelled).rejects.toMatchObject({ code: 'INVALID_SPEC' });
  // @ts-expect-error no provider runs it
  const foreign = infra.instances.create({ name: 'x', jsonSpec: { type: 'process', command: ['x'] } });
  await expect(foreign).rejects.toMatchObject({ code: 'INVALID_SPEC' });
});
