// A host in a process of its own, to be killed: creates what it is told and waits. Without a file its store dies with it.
import { createMCPInfra, memoryStore } from '@mcpinfra/core';
import { dockerProvider } from '@mcpinfra/provider-docker';

const [socketPath, store, instances] = process.argv.slice(2);
const infra = createMCPInfra({
  providers: [dockerProvider({ socketPath })],
  store: memoryStore(JSON.parse(store)),
});
await infra.start();
const made = [];
for (const input of JSON.parse(instances)) {
  const { id } = await infra.instances.ensure(input);
  made.push(await infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(20_000) }));
}
process.stdout.write(`${JSON.stringify(made)}\n`);
setInterval(() => undefined, 1_000);
