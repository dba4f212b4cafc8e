import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { MCPLinks } from '../ports/mcp-link.js';
import { EraMemory } from './era-memory.js';
import { SharedAgent } from './http/shared-agent.js';
import { ServerLink } from './server-link.js';

/** What links are made with. */
export interface MCPLinksOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How servers know us. @defaultValue mcpinfra */
  readonly name?: string | undefined;
  /** @defaultValue 0.0.0 */
  readonly version?: string | undefined;
}

/** Makes links to running copies; they share one keep-alive agent and what was found out about stdio servers. */
export function createMCPLinks({
  clock,
  logger,
  name = 'mcpinfra',
  version = '0.0.0',
}: MCPLinksOptions): MCPLinks {
  const context = {
    clock,
    logger,
    identity: { name, version },
    agent: new SharedAgent(),
    eras: new EraMemory(),
  };
  return { open: (target) => new ServerLink(target, context) };
}
