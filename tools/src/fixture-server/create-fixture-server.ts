import { McpServer } from '@modelcontextprotocol/server';
import type { FixtureState } from './fixture-state.js';
import { followChanges } from './follow-changes.js';
import { registerPrompts } from './prompts.js';
import { requestState } from './request-state.js';
import { registerResources } from './resources.js';
import { registerContentTools } from './tools/content-tools.js';
import { registerInputTools } from './tools/input-tools.js';
import { registerListTools } from './tools/list-tools.js';
import { registerProcessTools } from './tools/process-tools.js';
import { registerSchemaTools } from './tools/schema-tools.js';
import { registerStreamTools } from './tools/stream-tools.js';

export interface FixtureServerOptions {
  readonly era: 'legacy' | 'modern';
  /** Whether the server lives for one request only, and so is told of no change. */
  readonly perRequest: boolean;
}

/** Builds one MCP server over the state of the process; connect it to one transport. */
export function createFixtureServer(state: FixtureState, options: FixtureServerOptions): McpServer {
  const server = new McpServer(
    { name: 'mcpinfra-fixture', version: '1.0.0' },
    {
      instructions: 'A server for tests. It does what its tools are named after.',
      capabilities: {
        completions: {},
        logging: {},
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        tools: { listChanged: true },
      },
      cacheHints: {
        'tools/list': { ttlMs: 1000, cacheScope: 'public' },
        'prompts/list': { ttlMs: 1000, cacheScope: 'public' },
        'resources/list': { ttlMs: 60_000, cacheScope: 'public' },
        'resources/templates/list': { ttlMs: 60_000, cacheScope: 'public' },
        'resources/read': { ttlMs: 0, cacheScope: 'private' },
        'server/discover': { ttlMs: 60_000, cacheScope: 'public' },
      },
      requestState: { verify: (state, ctx) => requestState.verify(state, ctx) },
    },
  );
  registerContentTools(server);
  registerProcessTools(server, state);
  registerStreamTools(server);
  registerInputTools(server);
  registerSchemaTools(server);
  const lists = { ...registerListTools(server, state), ...registerPrompts(server, state) };
  const subscriptions = registerResources(server, { state, era: options.era });
  if (!options.perRequest) followChanges(server, { state, lists, subscriptions });
  return server;
}
