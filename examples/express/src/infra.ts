import { consoleLogger, createMCPInfra, type MCPInfra } from '@mcpinfra/core';
import type { ContainerSpec } from '@mcpinfra/core/plugin';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import type { UrlSpec } from '@mcpinfra/provider-url';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { processProvider } from '@mcpinfra/provider-process';
import { urlProvider } from '@mcpinfra/provider-url';

/** A fleet of containers, remote servers and local processes. */
export type Infra = MCPInfra<ContainerSpec | UrlSpec | ProcessSpec>;

//#region infra
/** Wires the fleet; nothing is connected before `start()`. */
export function createInfra(environment: NodeJS.ProcessEnv): Infra {
  const { DOCKER_SOCKET, ALLOWED_ADDRESSES } = environment;
  return createMCPInfra({
    providers: [
      dockerProvider({ socketPath: DOCKER_SOCKET }), // without an engine the fleet is degraded, and the others work
      urlProvider({ allow: ALLOWED_ADDRESSES?.split(',') }), // public addresses only, unless some are named
      processProvider(),
    ],
    logger: consoleLogger(),
    // State is in memory here, so nobody would come back for containers. With a durable store leave this out.
    onStop: 'destroy',
  });
}
//#endregion
