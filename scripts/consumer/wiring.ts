// Compiled where the packed packages are installed: what a host's compiler takes, and what it refuses.

import { createMCPInfra, memorySecrets, memoryStore, type MCPServerInstance } from '@mcpinfra/core';
import type { ContainerSpec } from '@mcpinfra/core/plugin';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { createTestInfra } from '@mcpinfra/core/testing';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { processProvider } from '@mcpinfra/provider-process';
import { urlProvider } from '@mcpinfra/provider-url';

const infra = createMCPInfra({
  providers: [processProvider(), dockerProvider({ maxMemory: undefined })],
  secrets: [memorySecrets()],
  store: memoryStore(),
  logger: undefined,
});
const remote = createMCPInfra({ providers: [urlProvider({ allow: ['loopback'] })] });

/** What has to compile. */
export async function accepted(): Promise<MCPServerInstance<ProcessSpec | ContainerSpec>> {
  await using test = await createTestInfra({ tools: { echo: (args) => args } });
  await test.infra.instances.create({ name: 'a', jsonSpec: { type: 'docker', image: 'mcp/x' } });
  await remote.instances.create({ name: 'a', jsonSpec: { type: 'url', endpoint: 'https://mcp.example' } });
  infra.events.on('MCPServerInstanceStatusChanged', ({ data }) => {
    if (data.reason === 'OUT_OF_MEMORY') test.crash('a');
  });
  return await infra.instances.create({
    name: 'a',
    description: undefined,
    jsonSpec: {
      type: 'process',
      command: ['x'],
      environment: { API_KEY: 'secret_ref:instance_123:API_KEY' },
    },
  });
}

/** What must not compile. */
export function refused(): void {
  // @ts-expect-error -- a store is no provider
  createMCPInfra({ providers: [memoryStore()] });
  // @ts-expect-error -- the option is called providers
  createMCPInfra({ providers: [processProvider()], provider: [] });
  // @ts-expect-error -- no provider runs "docker" here
  void remote.instances.create({ name: 'a', jsonSpec: { type: 'docker', image: 'mcp/x' } });
  // @ts-expect-error -- it is called command
  void infra.instances.create({ name: 'a', jsonSpec: { type: 'process', command: ['x'], comand: ['x'] } });
  // @ts-expect-error -- a process has no image
  void infra.instances.create({ name: 'a', jsonSpec: { type: 'process', command: ['x'], image: 'mcp/x' } });
  const environment = { API_KEY: 'secret_ref:instance_123' } as const;
  // @ts-expect-error -- the reference has no key
  void infra.instances.create({ name: 'a', jsonSpec: { type: 'process', command: ['x'], environment } });
  // @ts-expect-error -- there is no such event
  infra.events.on('MCPServerInstanceExploded', () => undefined);
}
