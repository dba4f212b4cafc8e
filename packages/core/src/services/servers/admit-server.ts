import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { PinnedServer } from '../../domain/instance/instance-record.js';
import type { MCPServer } from '../../domain/server/mcp-server.js';
import { visibleServer, type Scope } from '../context/access.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** What of a definition an instance keeps. */
export function pinServer(server: MCPServer): PinnedServer {
  const { name, version, resourceVersion, dockerImageUrl, jsonSpec, envSchema } = server;
  return { name, version, resourceVersion, dockerImageUrl, jsonSpec, envSchema };
}

/**
 * The definition an instance is to be made of.
 *
 * @throws `NOT_FOUND`, `SERVER_NOT_ACTIVE`
 */
export async function admitServer(
  context: ServiceContext,
  scope: Scope,
  request: { readonly id: string; readonly options: CommandOptions },
): Promise<PinnedServer> {
  const server = await visibleServer(context, scope, { ...request, change: false });
  if (server.status === 'deprecated') {
    context.logger.warn('an instance is made of a deprecated server', {
      server: server.name,
      version: server.version,
    });
  } else if (server.status !== 'active') {
    throw mcpError(
      'SERVER_NOT_ACTIVE',
      `The server "${server.name}" ${server.version} is ${server.status}; instances are made of active ones only.`,
    );
  }
  return pinServer(server);
}
