// The code of docs/guide/getting-started.md. It is compiled, and test/getting-started.test.ts runs it.

import { consoleLogger, createMCPInfra, memoryStore, type MCPInfra } from '@mcpinfra/core';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { processProvider } from '@mcpinfra/provider-process';

type Infra = MCPInfra<ProcessSpec>;

/** Wires a fleet that is kept in a file. */
export async function wire(): Promise<Infra> {
  //#region wire
  const infra = createMCPInfra({
    providers: [processProvider()],
    store: memoryStore({ file: 'fleet.json' }),
    logger: consoleLogger(),
  });
  await infra.start();
  //#endregion
  return infra;
}

/** Makes sure that an instance is there. */
export async function ensure(infra: Infra, script: string): Promise<string> {
  //#region ensure
  const { id } = await infra.instances.ensure({
    name: 'everything',
    labels: { team: 'search' },
    jsonSpec: { type: 'process', command: ['node', script] },
  });
  await infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(30_000) });
  //#endregion
  return id;
}

/** Calls a tool. */
export async function call(infra: Infra, id: string): Promise<void> {
  //#region call
  const tools = await infra.instances.tools(id); // as it told them last, also while it is stopped
  const { content, isError } = await infra.instances.callTool(
    id,
    'get-sum',
    { a: 19, b: 23 },
    { signal: AbortSignal.timeout(10_000) }, // cancels the call at the server
  );
  console.log(tools.length, isError ?? false, content[0]?.['text']);
  //#endregion
}

/** Opens a session. */
export async function connect(infra: Infra, id: string): Promise<void> {
  //#region connect
  const client = await infra.instances.connect(id); // the official SDK's Client, over the instance's own transport
  try {
    const { resources } = await client.listResources();
    console.log(resources.length);
  } finally {
    await client.close(); // ends the session, not the server
  }
  //#endregion
}

/** Looks at what there is. */
export async function look(infra: Infra, id: string): Promise<void> {
  //#region look
  for await (const instance of infra.instances.all({ labels: { team: 'search' } })) {
    console.log(instance.name, instance.status, instance.statusDetail.message);
  }
  for await (const { stream, text } of infra.instances.logs(id, { tail: 20 })) console.log(stream, text);
  for (const { ok, name, message } of await infra.doctor()) console.log(ok, name, message);
  //#endregion
}

/** Ends it all. */
export function endAtSignals(infra: Infra): void {
  //#region end
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => void infra.stop());
  //#endregion
}
