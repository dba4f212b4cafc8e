//#region main
import { fileURLToPath } from 'node:url';
import { consoleLogger, createMCPInfra } from '@mcpinfra/core';
import { moduleProvider } from './module-provider.js';

const infra = createMCPInfra({ providers: [moduleProvider()], logger: consoleLogger() });
try {
  await infra.start();
  const module = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
  const { id } = await infra.instances.create({ name: 'everything', jsonSpec: { type: 'module', module } });
  await infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(30_000) });
  const answer = await infra.instances.callTool(id, 'get-sum', { a: 19, b: 23 });
  console.log(answer.content);
} finally {
  await infra.stop();
}
//#endregion
