//#region first-server
import { fileURLToPath } from 'node:url';
import { consoleLogger, createMCPInfra, memorySecrets } from '@mcpinfra/core';
import { processProvider } from '@mcpinfra/provider-process';

const infra = createMCPInfra({
  providers: [processProvider()],
  secrets: [memorySecrets({ 'instance_123:API_KEY': 'only the server sees this' })],
  logger: consoleLogger(),
});
try {
  await infra.start();
  const server = await infra.servers.register({
    name: 'everything',
    envSchema: [{ name: 'API_KEY', required: true, secret: true }],
  });
  const script = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
  const instance = await infra.instances.create({
    name: 'everything 1',
    serverSpecId: server.id,
    jsonSpec: {
      type: 'process',
      command: ['node', script],
      environment: { API_KEY: 'secret_ref:instance_123:API_KEY' },
    },
  });
  await infra.instances.waitUntilReady(instance.id, { signal: AbortSignal.timeout(30_000) });
  const answer = await infra.instances.callTool(instance.id, 'get-sum', { a: 19, b: 23 });
  console.log(answer.content);
} finally {
  await infra.stop();
}
//#endregion
