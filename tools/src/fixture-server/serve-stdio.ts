import { serveStdio as serveBothEras, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { McpRequestContext } from '@modelcontextprotocol/server';
import { createFixtureServer } from './create-fixture-server.js';
import { FixtureState } from './fixture-state.js';
import { maxMessageBytes } from './limits.js';
import type { ServedEra } from './options.js';

/** Serves MCP on stdin and stdout until stdin ends. */
export async function serveStdio(era: ServedEra): Promise<void> {
  const state = new FixtureState();
  const transport = new StdioServerTransport(process.stdin, process.stdout, {
    maxBufferSize: maxMessageBytes,
  });
  const create = (context: Pick<McpRequestContext, 'era'>) =>
    createFixtureServer(state, { era: context.era, perRequest: false });
  if (era === 'legacy') await create({ era: 'legacy' }).connect(transport);
  else serveBothEras(create, { transport, legacy: era === 'modern' ? 'reject' : 'serve' });
}
