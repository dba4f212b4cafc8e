import { createMCPInfra, type Logger, type MCPInfra, type Role } from '@mcpinfra/core';
import { redisEvents } from '@mcpinfra/events-redis';
import { processProvider } from '@mcpinfra/provider-process';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { postgresStore } from '@mcpinfra/store-postgres';

/** Where the processes of a fleet meet. */
export interface FleetConfig {
  readonly postgresUrl: string;
  readonly redisUrl: string;
  /** What they prove to one another that they belong together. */
  readonly peerKey: string;
}

//#region wiring
/** The same wiring in every process: only its role says what it does. */
export function createFleet(role: Role, config: FleetConfig, logger?: Logger): MCPInfra<ProcessSpec> {
  return createMCPInfra({
    roles: [role],
    providers: [processProvider()],
    store: postgresStore({ connectionString: config.postgresUrl }),
    events: redisEvents({ url: config.redisUrl }),
    // Servers over stdio are reached through the worker that runs them.
    peer: {
      key: config.peerKey,
      ...(role === 'worker' ? { listen: { host: '127.0.0.1', port: 0 } } : {}),
    },
    logger,
  });
}
//#endregion
