// A host in a process of its own, to be killed: creates what it is told on a file store and waits.
import { createMCPInfra, memoryStore } from '@mcpinfra/core';
import { processProvider } from '@mcpinfra/provider-process';

const [file, fleet, instances] = process.argv.slice(2);
const infra = createMCPInfra({ providers: [processProvider()], store: memoryStore({ file, fleet }) });
await infra.start();
const made = [];
for (const { stopped, ...input } of JSON.parse(instances)) {
  const { id } = await infra.instances.ensure(input);
  await infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(20_000) });
  if (stopped) await infra.instances.stop(id, { wait: true });
  made.push(await infra.instances.get(id));
}
process.stdout.write(`${JSON.stringify(made)}\n`);
setInterval(() => undefined, 1_000);
